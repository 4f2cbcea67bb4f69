"""`counterfeit view`: a local page on which runs can be watched, while they train and afterwards.

The server only reads, and only below the folders that it was given: what a browser asks for is
looked up among the runs that were found there (`watch.py`), never put together to a path.
`guard.py` stands before everything, and refuses what is not asked by this machine's own pages.

**To add a page**, write a module with a function that makes it of NiceGUI's elements, and name the
module in `server.PAGES`, in the order of the navigation:

```python
from counterfeit.language import english
from counterfeit.view.frame import page

@page("/playground", english("Playground"))  # in the navigation; without a title, it is not
def playground() -> None:
    ui.label("…")
```

It stands in the frame that all share: header, navigation, the report's style, light and dark. Such
a function may take query parameters (`def playground(of: str = "")`), and be asynchronous.

**To add a file or data** that a page fetches, `@route("/frames")` hands a GET to a function that
returns a Starlette response; it runs in a thread, and may read. **To link a run to a page of
yours**, append a function to `frame.LINKS`: from a `Seen` to (what the link says, its address), or
None. `frame.watched()` is what all pages look at: `watched().find(of)` is the run of that id.

Nothing may be fetched from another host: the policy of `guard.py` forbids it, as it forbids frames
of other sites. Whatever a run's files say is to be shown as text: `ui.label`, or a template with
autoescape.
"""
