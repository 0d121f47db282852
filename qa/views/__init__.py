"""The page's views: what a visitor sees and does, each a value or a function, wired together in `qa.views.page`."""
