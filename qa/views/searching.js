// Runs once, when the fields beside the question are first drawn. Gradio hands over `element`, `trigger` and `watch`.
let open = false;
let changed = null; // the field changed last: the fields are drawn anew, and the keyboard must not lose its place

function chosen() {
  const fields = { outlet: '', since: '', until: '', article: '' };
  for (const name of Object.keys(fields)) fields[name] = element.querySelector(`[name="${name}"]`).value;
  return fields;
}

element.addEventListener('change', (event) => {
  changed = event.target.name;
  trigger('set_filters', chosen());
});

element.addEventListener('click', (event) => {
  if (!event.target.closest('.clear')) return;
  changed = '';
  trigger('set_filters', { outlet: '', since: '', until: '', article: '' });
});

element.addEventListener('toggle', (event) => { open = event.target.open; }, true);

watch('value', () => {
  const fields = element.querySelector('details');
  fields.open = open;
  if (changed !== null) (changed ? element.querySelector(`[name="${changed}"]`) : fields.firstElementChild).focus();
  changed = null;
});
