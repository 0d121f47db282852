// Runs once. What arrives is a file's text; it is saved from here, so that the server keeps nothing of it.
let last = '';

watch('value', () => {
  const file = element.querySelector('.file');
  if (!file || file.dataset.opened === last) return;
  last = file.dataset.opened;
  const address = URL.createObjectURL(new Blob([file.textContent], { type: `${file.dataset.type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = file.dataset.name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
});
