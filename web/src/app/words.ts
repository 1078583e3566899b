/** The page's own words where they stand in two places: in what scripts draw, and in what stands before any script has run. */
export const pageTitle = 'In-context learning lab';
export const tagline = 'Frozen attention models answer prompts, here in your browser.';
