"""Colours: red, green and blue, each in 0..1."""

Color = tuple[float, float, float]


def css_color(color: Color) -> str:
    """As CSS and SVG write it: #rrggbb."""
    return "#" + "".join(f"{round(255 * level):02x}" for level in color)
