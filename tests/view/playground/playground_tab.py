"""A browser's tab with the playground."""

from typing import Any

from chromium import find_axe


class Tab:
    """The playground in a tab of a browser, and what it said on the console or asked for."""

    def __init__(self, browser: Any, address: str, **how: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | how)
        self.page = self.context.new_page()
        self.heard: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", lambda message: self.heard.append(message.text))
        self.page.on("pageerror", lambda error: self.heard.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        self.page.goto(address)
        self.page.locator(".told li").first.wait_for()

    @property
    def updates(self) -> int:
        return int(self.page.locator(".count output").inner_text().replace(",", ""))

    def wait_for_updates(self, condition: str) -> None:
        """Until what is shown, `n`, fulfils it."""
        shown = "document.querySelector('.count output').textContent.replaceAll(',', '')"
        self.page.wait_for_function(f"(n => {condition})(Number({shown}))")

    def wait_until_still(self) -> None:
        """Until no update comes for a second: what was asked for before is still answered."""
        for _ in range(100):
            seen = self.updates
            self.page.wait_for_timeout(1000)
            if self.updates == seen:
                return
        raise AssertionError("it goes on")

    def wait_for_words(self, place: str, *words: str) -> None:
        for each in words:
            self.page.locator(place, has_text=each).first.wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, label: str, value: str) -> None:
        self.page.get_by_role("combobox", name=label, exact=True).select_option(value)

    def pixels(self, canvas: str) -> str:
        return str(self.page.eval_on_selector(canvas, "all => all.toDataURL()"))

    @property
    def violations(self) -> Any:
        """Of axe-core's rules."""
        self.page.evaluate(find_axe().read_text())
        found = "axe.run().then(all => all.violations.map(each => [each.id, each.nodes[0].html]))"
        return self.page.evaluate(found)
