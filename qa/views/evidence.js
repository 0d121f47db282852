// Runs once, when the evidence is first drawn. Gradio hands over `element`, `trigger` and `watch`.
const column = document.getElementById('evidence-column');
const covered = ['masthead', 'chat-column'].map((id) => document.getElementById(id));
const narrow = window.matchMedia('(max-width: 900px)'); // the same width as in style.css
let opener = null;
let byKeyboard = false;
let opened = 0;

const isOpen = () => column.classList.contains('open');

// What is read out when something changes that is not in focus.
const voice = document.createElement('p');
voice.className = 'unseen';
voice.setAttribute('role', 'status');
column.after(voice);
document.addEventListener('byline:say', (event) => { voice.textContent = event.detail; });

document.addEventListener('byline:opening', (event) => {
  opener = event.detail.opener;
  byKeyboard = event.detail.byKeyboard;
});

function close() {
  const inside = column.contains(document.activeElement);
  if (isOpen()) {
    column.classList.remove('open');
    column.removeAttribute('role');
    column.removeAttribute('aria-modal');
    column.removeAttribute('aria-label');
    covered.forEach((part) => { part.inert = false; });
  } else if (!inside) {
    return;
  }
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
}

// On a narrow screen the evidence is a sheet over the chat, and only it can be reached until it is closed.
function open() {
  if (narrow.matches && !isOpen()) {
    column.classList.add('open');
    column.setAttribute('role', 'dialog');
    column.setAttribute('aria-modal', 'true');
    column.setAttribute('aria-label', 'Evidence');
    covered.forEach((part) => { part.inert = true; });
  } else if (!byKeyboard) {
    return;
  }
  // Whoever opens by keyboard goes on reading here; Escape leads back.
  element.querySelector('.bar h2')?.focus({ preventScroll: true });
}

function bringIntoView(box) {
  const scroller = element.querySelector('.scroll');
  // A third down: what comes before the sentence is in view as well.
  scroller.scrollTop += box.top - scroller.getBoundingClientRect().top - scroller.clientHeight / 3;
}

function showSentence() {
  const scroller = element.querySelector('.scroll');
  const mark = element.querySelector('mark.active');
  if (!scroller) return;
  if (mark) bringIntoView(mark.getBoundingClientRect());
  else scroller.scrollTop = 0;
}

// Drawing the chat anew drops what it does not know of.
function markChip() {
  const bar = element.querySelector('.bar');
  if (!bar) return;
  document.querySelectorAll('.chip[aria-current]').forEach((chip) => chip.removeAttribute('aria-current'));
  const turn = `[data-turn="${bar.dataset.turn}"]`;
  if (bar.dataset.rank) {
    opener = document.querySelector(`.passage${turn}[data-rank="${bar.dataset.rank}"]`) ?? opener;
    return;
  }
  opener = document.querySelector(`.chip${turn}[data-n="${bar.dataset.n}"]`);
  if (opener) opener.setAttribute('aria-current', 'true');
}

document.addEventListener('byline:chat-drawn', markChip);

function openChip(chip) {
  trigger('open_citation', { turn: Number(chip.dataset.turn), n: Number(chip.dataset.n), opened: Date.now() });
}

element.addEventListener('click', (event) => {
  const part = event.target.closest('button');
  if (!part) return;
  if (part.matches('.close')) {
    close();
  } else if (part.matches('.step') && !part.disabled) {
    byKeyboard = false;
    openChip(part);
  } else if (part.matches('.only')) {
    trigger('set_filters', { outlet: '', since: '', until: '', article: part.dataset.id });
    close();
    document.querySelector('#question textarea')?.focus();
  }
});

// Alt with an arrow walks through the citations of the whole chat, from wherever the keyboard is.
function step(direction) {
  const chips = [];
  const seen = new Set();
  for (const chip of document.querySelectorAll('#chat .chip')) {
    const name = `${chip.dataset.turn} ${chip.dataset.n}`;
    if (!seen.has(name)) chips.push(chip);
    seen.add(name);
  }
  if (!chips.length) return;
  const place = chips.findIndex((chip) => chip.getAttribute('aria-current') === 'true'
    || (opener && chip.dataset.turn === opener.dataset.turn && chip.dataset.n === opener.dataset.n));
  const newest = chips.findIndex((chip) => chip.dataset.turn === chips[chips.length - 1].dataset.turn);
  const next = place < 0 ? newest : Math.max(0, Math.min(chips.length - 1, place + direction));
  byKeyboard = false; // the keyboard stays where it is
  chips[next].scrollIntoView({ block: 'nearest' });
  openChip(chips[next]);
}

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    close();
  } else if (event.altKey && !event.ctrlKey && !event.metaKey && ['ArrowDown', 'ArrowUp'].includes(event.key)) {
    if (!element.offsetParent && !narrow.matches) return; // another tab is shown
    event.preventDefault();
    step(event.key === 'ArrowDown' ? 1 : -1);
  }
});

narrow.addEventListener('change', close);

// Find in the article. The text is searched as it stands, and marked without touching it where the browser can.
let places = [];
let place = -1;

function ranges(wanted) {
  const body = element.querySelector('.paper');
  const found = [];
  if (!body || !wanted) return found;
  for (const block of body.querySelectorAll('p, h3')) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let text = '';
    while (walker.nextNode()) {
      nodes.push([walker.currentNode, text.length]);
      text += walker.currentNode.data;
    }
    const plain = text.replace(/\s/gu, ' ').toLowerCase();
    if (plain.length !== text.length) continue; // letters whose small form is longer; hardly any
    for (let at = plain.indexOf(wanted); at >= 0; at = plain.indexOf(wanted, at + wanted.length)) {
      const range = new Range();
      const end = at + wanted.length;
      for (const [node, start] of nodes) {
        if (at >= start && at < start + node.length) range.setStart(node, at - start);
        if (end > start && end <= start + node.length) range.setEnd(node, end - start);
      }
      found.push(range);
    }
  }
  return found;
}

function paint() {
  if (!window.Highlight || !CSS.highlights) return;
  CSS.highlights.set('byline-found', new Highlight(...places));
  CSS.highlights.set('byline-here', new Highlight(...places.slice(Math.max(0, place), place + 1)));
}

function find(step) {
  const field = element.querySelector('.find');
  const wanted = field.value.replace(/\s+/gu, ' ').trim().toLowerCase();
  if (!step) {
    places = ranges(wanted);
    place = places.length ? 0 : -1;
  } else if (places.length) {
    place = (place + step + places.length) % places.length;
  }
  const said = places.length ? `${place + 1} of ${places.length}` : 'not found';
  element.querySelector('.found').textContent = wanted ? said : '';
  paint();
  if (place >= 0) bringIntoView(places[place].getBoundingClientRect());
}

element.addEventListener('input', (event) => { if (event.target.matches('.find')) find(0); });
element.addEventListener('keydown', (event) => {
  if (!event.target.matches('.find')) return;
  if (event.key === 'Enter') {
    event.preventDefault();
    find(event.shiftKey ? -1 : 1);
  } else if (event.key === 'Escape' && event.target.value) { // first what was looked for goes, then the article
    event.preventDefault();
    event.stopPropagation();
    event.target.value = '';
    find(0);
  }
});

watch('value', () => {
  const stamp = element.querySelector('[data-opened]');
  if (!stamp || stamp.dataset.opened === opened) return;
  opened = stamp.dataset.opened;
  places = [];
  place = -1;
  paint();
  markChip();
  open();
  showSentence();
  const heading = element.querySelector('.bar h2')?.textContent ?? '';
  const quote = Array.from(element.querySelectorAll('mark.active'), (mark) => mark.textContent).join('');
  if (document.activeElement !== element.querySelector('.bar h2')) voice.textContent = `${heading}: ${quote.slice(0, 300)}`;
  byKeyboard = false;
});
