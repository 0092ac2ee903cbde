// Runs before anything is painted, so that a chosen theme never flashes.
try {
  const theme = localStorage.getItem('otter.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Only a preference.
}
