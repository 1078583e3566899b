/* A classic script, since it must run before modules do, and also where they cannot. */
// The stored picture is the playground's: a link to another panel does not show it, nor a page that cannot run.
if (location.protocol === 'file:' || (location.hash !== '' && !location.hash.startsWith('#playground')))
  document.documentElement.dataset.elsewhere = '';
// Opened from a file, the page says why it does not work.
document.addEventListener('DOMContentLoaded', () => {
  if (location.protocol !== 'file:') return;
  const notice = document.getElementById('cannot-start');
  notice.textContent =
    'This page was opened from a file, and browsers load no modules and no WebAssembly from files. ' +
    'Serve its folder over http: icl serve does, and so does any static host.';
  notice.hidden = false;
});
