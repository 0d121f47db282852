// Runs once, when the table is first drawn. Removing asks in the row itself: no dialogue can be blocked or missed.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const cell = button.closest('td');
  const ask = cell.querySelector('.remove');
  const confirm = cell.querySelector('.confirm');
  if (button.matches('.yes')) {
    trigger('remove_article', { id: button.dataset.id });
  } else {
    const asking = button.matches('.remove');
    ask.hidden = asking;
    confirm.hidden = !asking;
    (asking ? confirm.querySelector('.no') : ask).focus();
  }
});
