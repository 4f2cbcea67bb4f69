// Commands that one click copies.
for (const button of document.querySelectorAll(".copy")) {
  const code = button.previousElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = tr("Copied");
    } catch { // a browser that forbids it: select, so that one key copies
      getSelection().selectAllChildren(code);
      button.textContent = tr("Selected");
    }
    setTimeout(() => { button.textContent = tr("Copy"); }, 2000);
  });
}
