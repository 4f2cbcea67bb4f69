// Opened as a file, a page may not read another one: search lists titles without excerpts.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// Sphinx would mark a word that was searched for ("mode") in the titles of furo's icons, and fail.
for (const title of document.querySelectorAll("svg title")) title.classList.add("nohighlight");
