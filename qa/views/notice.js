// Runs once, when the notice is first drawn. Gradio hands over `element` and `trigger`.
element.addEventListener('click', (event) => {
  if (!event.target.closest('.cancel')) return;
  trigger('cancel_edit', {});
  document.querySelector('#question textarea')?.focus();
});
