// Runs once, when the chat is first drawn. Gradio hands over `element`, `trigger` and `watch`.
let shown = 0;
let kept = null; // the button pressed last: the chat is drawn anew, and the keyboard must not lose its place

element.addEventListener('click', (event) => {
  const chip = event.target.closest('.chip');
  const example = event.target.closest('.example');
  const keep = event.target.closest('.keep');
  if (chip) {
    const detail = { turn: Number(chip.dataset.turn), n: Number(chip.dataset.n), opened: Date.now() };
    trigger('open_citation', detail);
  } else if (example) {
    trigger('ask_example', { question: example.textContent });
  } else if (keep) {
    kept = `.keep[data-turn="${keep.dataset.turn}"][data-verdict="${keep.dataset.verdict}"]`;
    trigger('keep_case', { turn: Number(keep.dataset.turn), verdict: keep.dataset.verdict });
  }
});

// A new question is brought to the top of the chat, so that its answer is read from the beginning; while the answer
// streams in nothing moves.
watch('value', () => {
  const turns = element.querySelectorAll('.turn');
  if (turns.length > shown) {
    const column = element.closest('#chat');
    const last = turns[turns.length - 1];
    const distance = last.getBoundingClientRect().top - column.getBoundingClientRect().top;
    column.scrollTop += distance + 1; // past the line between the turns
  }
  shown = turns.length;
  if (kept) element.querySelector(kept)?.focus({ preventScroll: true });
  kept = null;
  document.dispatchEvent(new Event('byline:chat-drawn'));
});
