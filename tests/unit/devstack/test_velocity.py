"""The parts of VTL on which API Gateway differs from what a Python engine would do."""

from typing import Any

import pytest

from devstack.gateway.velocity import TemplateFailedError, find, render


def rendered(template: str, body: str = "{}", **parameters: dict[str, str]) -> str:
    kinds: dict[str, dict[str, str]] = {"path": {}, "querystring": {}, "header": {}}
    kinds |= parameters
    return render(template, body=body, parameters=kinds, context={"requestId": "r-1"})[0]


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (
            "$util.escapeJavaScript($input.path('$.q'))",
            'it\\\'s \\"x\\" \\\\ \\/ \\n \\u00FC \\uD83C\\uDFA8',
        ),
        ("$input.path('$.o')", "{a=[1, null, true], b={}}"),
        ("$input.json('$.o')", '{"a": [1, null, true], "b": {}}'),
        ("$input.json('$.o.a[0]')|$input.json(\"$['o']['b']\")", "1|{}"),
        ("$input.json('$.nothing')|$input.path('$.nothing.more')|", '""||'),
        ("$context.requestId|$context.nothing.at.all|$nobody|", "r-1|||"),
        ("#if($input.path('$.o').get('z'))yes#{else}no#end", "no"),
        ("#if($context.authorizer.claims)yes#{else}no#end", "no"),
        ("#if($input.path('$.o').zero)yes#{else}no#end", "no"),
        ("#foreach($n in $input.path('$.o.a'))$n,#end", "1,,true,"),
        ("#if(1 == 1)\n#set($x = 1)\n#end \n#if($x)#set($y = 2)#end\n$y", "2"),  # no empty lines
        ("#if(1 == 2)\n#set($x = 1)\n#else\n#set($x = 2)\n#end\n$x", "2"),
        ("#foreach($n in $input.path('$.o.a'))\n#set($x = 3)\n#end\nend", "end"),
        ('$util.parseJson(\'{"a": {"b": [5]}}\').a.b.get(0)', "5"),
    ],
)
def test_rendering(template: str, text: str) -> None:
    body = '{"q": "it\'s \\"x\\" \\\\ / \\n ü 🎨", "o": {"a": [1, null, true], "b": {}}}'
    assert rendered(template, body) == text


def test_a_named_parameter_is_searched_in_path_query_headers() -> None:
    """Its name counts letter by letter: API Gateway compares header names as they were sent."""
    kinds = {
        "path": {"a": "p"},
        "querystring": {"a": "q", "b": "q"},
        "header": {"a": "h", "b": "h", "C-D": "h"},
    }
    template = "$input.params('a')$input.params('b')$input.params('C-D')"
    assert rendered(template, "{}", **kinds) == "pqh"
    assert rendered("<$input.params('c-d')$input.params('x')>", "{}", **kinds) == "<>"


def test_parameters_of_one_place_are_read_as_they_were_sent() -> None:
    kinds = {"querystring": {"c-d": "q"}, "header": {"C-D": "1", "c-D": "2", "E": "3"}}
    assert rendered("$input.params().header.get('C-D')", "{}", **kinds) == "1"
    assert rendered("$input.params().querystring.get('C-D')|", "{}", **kinds) == "|"
    found = rendered(
        "#set($values = '')#foreach($name in $input.params().header.keySet())"
        "#if($name.equalsIgnoreCase('c-d'))"
        '#set($values = "$values$input.params().header.get($name);")#end#end$values',
        "{}",
        **kinds,
    )
    assert found == "1;2;"


def test_overrides_are_handed_out_and_null_ones_are_not_there() -> None:
    template = (
        "#set($context.responseOverride.status = 418)"
        "#set($context.responseOverride.header.X-One = 'a b')"
        "#set($context.responseOverride.header['Two'] = $input.path('$').get('two'))"
        "#set($context.responseOverride.header.Three = $input.path('$').get('three'))"
    )
    kinds: dict[str, Any] = {"path": {}, "querystring": {}, "header": {}}
    _, override = render(template, body='{"two": "2"}', parameters=kinds, context={})
    assert override == {"status": 418, "header": {"X-One": "a b", "Two": "2"}}


@pytest.mark.parametrize("template", ["#if($x", "$util.parseJson('{')"])
def test_a_broken_template_says_so(template: str) -> None:
    with pytest.raises(TemplateFailedError):
        rendered(template)


def test_jsonpath_beyond_names_and_indices_is_refused_not_guessed() -> None:
    with pytest.raises(ValueError, match="not supported"):
        find({"a": [1]}, "$.a[?(@ > 1)]")
