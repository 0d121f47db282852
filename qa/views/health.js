// Runs once. Gradio hands over `element` and `trigger`.
element.addEventListener('click', (event) => {
  if (event.target.closest('.check')) trigger('check_health', {});
  else if (event.target.closest('.repair')) trigger('repair_health', {});
});
