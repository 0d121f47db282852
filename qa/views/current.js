// Runs once, when the page is opened. Gradio hands over `element`, `trigger` and `watch`.
// The tab remembers which chat it shows, so that a reload finds it; whose chat it is, the server decides.
const KEY = 'byline-chat';
let focused = '';

function remembered() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch { // storage is switched off: the chat used last is opened
    return '';
  }
}

function remember(chat) {
  try {
    sessionStorage.setItem(KEY, chat);
  } catch { /* as above */ }
}

element.addEventListener('click', (event) => {
  if (event.target.closest('.new')) trigger('new_chat', {});
});

watch('value', () => {
  const bar = element.querySelector('.current');
  if (!bar) return;
  remember(bar.dataset.chat);
  if (bar.dataset.focus && bar.dataset.focus !== focused) {
    focused = bar.dataset.focus;
    setTimeout(() => { // once its tab is shown
      document.querySelector('#chat .turn:last-child')?.scrollIntoView({ block: 'start' });
      document.querySelector('#question textarea')?.focus();
    }, 100);
  }
});

trigger('resume_tab', { chat: remembered() });
