from uda.evaluation.report.markup import Html, element, joined


def test_text_is_escaped_and_html_is_not_escaped_again() -> None:
    inner = element("b", 'a < b & "c"')
    assert inner == "<b>a &lt; b &amp; &quot;c&quot;</b>"
    assert element("p", "<i>", inner) == f"<p>&lt;i&gt;{inner}</p>"
    assert joined(["<", Html("<br>")], " & ") == "&lt; &amp; <br>"


def test_attributes_are_escaped_named_as_in_html_and_left_out() -> None:
    made = element("td", class_='a" onclick="x', data_value="1", hidden=True, title=False)
    assert made == '<td class="a&quot; onclick=&quot;x" data-value="1" hidden></td>'


def test_empty_elements_are_not_closed() -> None:
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
