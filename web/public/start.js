/* A classic script, since it must also run where modules cannot: opened from a file, the page says why it does not work. */
document.addEventListener('DOMContentLoaded', () => {
  if (location.protocol !== 'file:') return;
  const notice = document.getElementById('cannot-start');
  notice.textContent =
    'This page was opened from a file, and browsers load no modules and no WebAssembly from files. ' +
    'Serve its folder over http: icl serve does, and so does any static host.';
  notice.hidden = false;
});
