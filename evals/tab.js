// Runs once, when the tab's part is first drawn. Gradio hands over `element`, `trigger` and `watch`.
let last = null; // the field that has the keyboard: the tab is drawn anew, and it must not lose its place

document.addEventListener('focusin', (event) => {
  last = element.contains(event.target) ? event.target.name : null;
});

element.addEventListener('change', () => {
  const selects = [...element.querySelectorAll('select')];
  if (selects.every((field) => field.selectedOptions[0].defaultSelected)) return; // what is shown: nothing would come
  const fields = {};
  for (const field of selects) fields[field.name] = field.value;
  element.querySelector('.evals').setAttribute('aria-busy', 'true');
  trigger('choose', fields);
});

element.addEventListener('click', (event) => {
  const button = event.target.closest('.ask-in-chat');
  if (button) askInChat(button.dataset.question);
});

// The question is put into its box and sent from there, as if it had been typed. While another question is being
// edited it is only put there: asking would replace that one and all that follows it.
function askInChat(question) {
  document.querySelector('#tabs [role="tab"]').click();
  const box = document.querySelector('#question textarea');
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(box, question);
  box.dispatchEvent(new Event('input', { bubbles: true }));
  setTimeout(() => { // once the tab is shown and the box knows what it holds
    box.focus();
    if (!document.querySelector('#notice .cancel')) document.querySelector('#question .submit-button').click();
  }, 100);
}

watch('value', () => {
  if (last && !element.contains(document.activeElement)) element.querySelector(`[name="${last}"]`)?.focus();
});
