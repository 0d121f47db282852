// Runs once, when the list is first drawn. Gradio hands over `element`, `trigger` and `watch`.
// Renaming, exporting and deleting ask in the row itself: no dialogue can be blocked or missed.
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October',
  'November', 'December'];
let returnTo = null; // [chat, part]: the list is drawn anew, and the keyboard must not lose its place

const rowOf = (part) => part.closest('li');

function unfold(row, part) {
  for (const each of row.querySelectorAll('.renaming, .taking, .deleting')) each.hidden = each !== part;
  row.querySelector('.doing').hidden = part !== null;
  row.querySelector('.take').setAttribute('aria-expanded', String(part !== null && part.matches('.taking')));
}

function fold(row, focusOn) {
  unfold(row, null);
  row.querySelector(focusOn)?.focus();
}

const opens = { rename: '.renaming', take: '.taking', delete: '.deleting' };

element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.matches('.new')) {
    trigger('new_chat', {});
    return;
  }
  const row = rowOf(button);
  const id = row.dataset.id;
  const kind = button.classList[0];
  if (kind === 'open') {
    trigger('open_chat', { id });
  } else if (opens[kind]) {
    const part = row.querySelector(opens[kind]);
    unfold(row, part);
    if (kind === 'rename') part.querySelector('input').select();
    else part.querySelector(kind === 'delete' ? '.no' : '.export').focus();
  } else if (kind === 'no') {
    leave(row, button);
  } else if (kind === 'yes') {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    returnTo = [next?.dataset.id ?? null, '.open'];
    trigger('delete_chat', { id });
  } else if (kind === 'export') {
    trigger('export_chat', { id, form: button.dataset.form });
    fold(row, '.take');
  }
});

function leave(row, part) {
  const inside = part.closest('.renaming, .taking, .deleting');
  const from = Object.keys(opens).find((name) => inside.matches(opens[name]));
  if (from === 'rename') inside.reset();
  fold(row, `.${from}`);
}

element.addEventListener('submit', (event) => {
  event.preventDefault();
  const row = rowOf(event.target);
  returnTo = [row.dataset.id, '.rename'];
  trigger('rename_chat', { id: row.dataset.id, title: event.target.querySelector('input').value });
});

element.addEventListener('keydown', (event) => {
  const inside = event.target.closest('.renaming, .taking, .deleting');
  if (event.key === 'Escape' && inside) leave(rowOf(inside), event.target);
});

// The server knows only UTC.
function showOwnTime() {
  for (const part of element.querySelectorAll('time')) {
    const at = new Date(part.dateTime);
    const clock = [at.getHours(), at.getMinutes()].map((n) => String(n).padStart(2, '0')).join(':');
    part.textContent = `${at.getDate()} ${MONTHS[at.getMonth()]} ${at.getFullYear()}, ${clock}`;
  }
}

watch('value', () => {
  showOwnTime();
  if (!returnTo) return;
  const [id, part] = returnTo;
  returnTo = null;
  const row = [...element.querySelectorAll('li')].find((each) => each.dataset.id === id);
  (row?.querySelector(part) ?? document.querySelector('#find-chat input, #find-chat textarea'))?.focus();
});
