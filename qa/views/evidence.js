// Runs once, when the evidence is first drawn. Gradio hands over `element`, `trigger` and `watch`.
const column = document.getElementById('evidence-column');
const covered = ['masthead', 'chat-column'].map((id) => document.getElementById(id));
const narrow = window.matchMedia('(max-width: 900px)'); // the same width as in style.css
let opener = null;
let opened = 0;

const isOpen = () => column.classList.contains('open');

function close() {
  if (!isOpen()) return;
  column.classList.remove('open');
  column.removeAttribute('role');
  column.removeAttribute('aria-modal');
  covered.forEach((part) => { part.inert = false; });
  if (opener && opener.isConnected) opener.focus({ preventScroll: true });
}

// On a narrow screen the evidence is a sheet over the chat, and only it can be reached until it is closed.
function open() {
  if (!narrow.matches || isOpen()) return;
  column.classList.add('open');
  column.setAttribute('role', 'dialog');
  column.setAttribute('aria-modal', 'true');
  column.setAttribute('aria-label', 'Evidence');
  covered.forEach((part) => { part.inert = true; });
  const heading = element.querySelector('.bar h2');
  if (heading) heading.focus({ preventScroll: true });
}

function showSentence() {
  const scroller = element.querySelector('.scroll');
  const mark = element.querySelector('mark.active');
  if (!scroller) return;
  if (!mark) {
    scroller.scrollTop = 0;
    return;
  }
  // A third down: what comes before the sentence is in view as well.
  const distance = mark.getBoundingClientRect().top - scroller.getBoundingClientRect().top;
  scroller.scrollTop += distance - scroller.clientHeight / 3;
}

// Drawing the chat anew drops what it does not know of.
function markChip() {
  const bar = element.querySelector('.bar');
  if (!bar) return;
  document.querySelectorAll('.chip[aria-current]').forEach((chip) => chip.removeAttribute('aria-current'));
  opener = document.querySelector(`.chip[data-turn="${bar.dataset.turn}"][data-n="${bar.dataset.n}"]`);
  if (opener) opener.setAttribute('aria-current', 'true');
}

document.addEventListener('byline:chat-drawn', markChip);

element.addEventListener('click', (event) => {
  const step = event.target.closest('.step');
  if (event.target.closest('.close')) {
    close();
  } else if (step && !step.disabled) {
    trigger('open_citation', { turn: Number(step.dataset.turn), n: Number(step.dataset.n), opened: Date.now() });
  }
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') close();
});

narrow.addEventListener('change', close);

watch('value', () => {
  const stamp = element.querySelector('[data-opened]');
  if (!stamp || stamp.dataset.opened === opened) return;
  opened = stamp.dataset.opened;
  markChip();
  open();
  showSentence();
});
