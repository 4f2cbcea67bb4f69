"""What the page holds on which a generator is explored by hand; `exports.html` puts it together."""
