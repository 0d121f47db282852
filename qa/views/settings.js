// Runs once, when the settings are first drawn. Gradio hands over `element`, `trigger` and `watch`.
let last = null; // the field that has the keyboard: the fields are drawn anew, and it must not lose its place

document.addEventListener('focusin', (event) => {
  last = element.contains(event.target) ? event.target.name || 'k' : null;
});

element.addEventListener('change', () => {
  const fields = {};
  for (const field of element.querySelectorAll('[name]')) fields[field.name] = field.value;
  trigger('choose', fields);
});

element.addEventListener('click', (event) => {
  if (event.target.closest('.clear')) trigger('choose', {});
});

watch('value', () => {
  if (last && !element.contains(document.activeElement)) element.querySelector(`[name="${last}"]`)?.focus();
});
