// Runs once, when the suggestions are first drawn. Gradio hands over `element`, `trigger` and `watch`.
element.addEventListener('click', (event) => {
  const example = event.target.closest('.example');
  if (example) trigger('ask_example', { question: example.textContent });
});

// They are made after the answer: by then another question may have been asked, for which they are none.
function hideStale() {
  const own = element.querySelector('.suggested');
  const turns = document.querySelectorAll('#chat .turn');
  if (own) own.hidden = !turns.length || turns[turns.length - 1].dataset.turn !== own.dataset.turn;
}

watch('value', hideStale);
document.addEventListener('byline:chat-drawn', hideStale);
