// Runs once, when the table is first drawn. Removing asks in the row itself: no dialogue can be blocked or missed.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  const cell = button.closest('td');
  const ask = cell.querySelector('.remove');
  const confirm = cell.querySelector('.confirm');
  if (button.matches('.ask')) {
    trigger('ask_about', { id: button.dataset.id });
    document.querySelector('#tabs [role="tab"]').click();
    setTimeout(() => document.querySelector('#question textarea')?.focus(), 100); // once the tab is shown
  } else if (button.matches('.yes')) {
    trigger('remove_article', { id: button.dataset.id });
  } else {
    const asking = button.matches('.remove');
    ask.hidden = asking;
    confirm.hidden = !asking;
    (asking ? confirm.querySelector('.no') : ask).focus();
  }
});
