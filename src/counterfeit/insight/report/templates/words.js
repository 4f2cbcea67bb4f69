// What the scripts say, in the page's language: tr("Play"); see counterfeit/language.py.
const words = JSON.parse(document.getElementById("words").textContent);
const tr = (text, values = {}) => words[text].replace(/\{(\w+)\}/g, (_, name) => values[name]);
