// Runs once, when the chat is first drawn. Gradio hands over `element`, `trigger` and `watch`.
let shown = 0;
let kept = null; // the button pressed last: the chat is drawn anew, and the keyboard must not lose its place
const opened = new Set(); // parts that were unfolded: drawing anew would fold them
const column = element.closest('#chat');
const numberOf = (part) => Number(part.dataset.turn);

element.addEventListener('click', (event) => {
  const part = event.target.closest('button');
  if (!part) return;
  if (part.matches('.chip')) {
    const byKeyboard = event.detail === 0;
    document.dispatchEvent(new CustomEvent('byline:opening', { detail: { opener: part, byKeyboard } }));
    trigger('open_citation', { turn: numberOf(part), n: Number(part.dataset.n), opened: Date.now() });
  } else if (part.matches('.passage')) {
    const byKeyboard = event.detail === 0;
    document.dispatchEvent(new CustomEvent('byline:opening', { detail: { opener: part, byKeyboard } }));
    trigger('open_passage', { turn: numberOf(part), rank: Number(part.dataset.rank), opened: Date.now() });
  } else if (part.matches('.example')) {
    trigger('ask_example', { question: part.textContent });
  } else if (part.matches('.keep')) {
    kept = `.keep[data-turn="${part.dataset.turn}"][data-verdict="${part.dataset.verdict}"]`;
    trigger('keep_case', { turn: numberOf(part), verdict: part.dataset.verdict });
  } else if (part.matches('.pack')) {
    trigger('take_pack', { turn: numberOf(part), form: part.dataset.form, opened: Date.now() });
  } else if (part.matches('.branch') && !part.disabled) {
    kept = `.turn[data-turn="${part.closest('.turn').dataset.turn}"] .branch[aria-label="${part.ariaLabel}"]`;
    trigger('go_to_branch', { to: part.dataset.to });
  } else if (part.matches('.stop')) {
    trigger('stop_asking', {});
  } else if (part.matches('.again')) {
    trigger('ask_again', {});
  } else if (part.matches('.edit')) {
    trigger('edit_question', { turn: numberOf(part) });
    document.querySelector('#question textarea')?.focus();
  } else if (part.matches('.copy')) {
    copy(part);
  }
});

// The clipboard is open to pages from this machine or over https; elsewhere the old way still works.
async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    element.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
    button.focus();
  }
  button.textContent = 'Copied';
  document.dispatchEvent(new CustomEvent('byline:say', { detail: 'The answer and its sources are copied.' }));
  setTimeout(() => { button.textContent = 'Copy'; }, 2000);
}

element.addEventListener('toggle', (event) => {
  const name = event.target.dataset?.keep;
  if (!name) return;
  if (event.target.open) opened.add(name);
  else opened.delete(name);
}, true);

// The quote of a citation beside the chip that the pointer or the keyboard is on; Escape puts it away.
const card = document.createElement('div');
card.id = 'quote-card';
card.className = 'quote-card';
card.setAttribute('role', 'tooltip');
card.hidden = true;
column.after(card);
let leaving = 0;

function showQuote(chip) {
  clearTimeout(leaving);
  card.textContent = chip.dataset.quote;
  card.dir = 'auto';
  card.hidden = false;
  const box = chip.getBoundingClientRect();
  const left = Math.max(12, Math.min(box.left, innerWidth - card.offsetWidth - 12));
  const below = box.bottom + 8;
  const fits = below + card.offsetHeight < innerHeight - 12;
  card.style.left = `${left}px`;
  card.style.top = `${fits ? below : Math.max(12, box.top - 8 - card.offsetHeight)}px`;
  chip.setAttribute('aria-describedby', card.id);
}

function hideQuote() {
  leaving = setTimeout(() => { card.hidden = true; }, 150); // long enough to move the pointer onto the card
}

for (const [come, go] of [['pointerover', 'pointerout'], ['focusin', 'focusout']]) {
  element.addEventListener(come, (event) => {
    const chip = event.target.closest('.chip');
    if (chip && event.pointerType !== 'touch') showQuote(chip);
  });
  element.addEventListener(go, (event) => { if (event.target.closest('.chip')) hideQuote(); });
}
card.addEventListener('pointerenter', () => clearTimeout(leaving));
card.addEventListener('pointerleave', hideQuote);
column.addEventListener('scroll', () => { card.hidden = true; });
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') card.hidden = true; });
document.addEventListener('byline:opening', () => { card.hidden = true; });

// A new question is brought to the top of the chat, so that its answer is read from the beginning; while the answer
// streams in nothing moves.
watch('value', () => {
  const turns = element.querySelectorAll('.turn');
  card.hidden = true;
  for (const part of element.querySelectorAll('details[data-keep]')) part.open = opened.has(part.dataset.keep);
  if (turns.length > shown) {
    const last = turns[turns.length - 1];
    const distance = last.getBoundingClientRect().top - column.getBoundingClientRect().top;
    column.scrollTop += distance + 1; // past the line between the turns
  }
  shown = turns.length;
  const pressed = kept && element.querySelector(kept);
  const left = pressed?.disabled ? pressed.parentElement.querySelector('button:enabled') : pressed;
  left?.focus({ preventScroll: true });
  kept = null;
  document.dispatchEvent(new Event('byline:chat-drawn'));
});
