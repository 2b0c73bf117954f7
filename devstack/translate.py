"""SAM → CloudFormation by AWS's own translator, the one `sam deploy` has run on AWS's side."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from devstack.engine import ACCOUNT, REGION, session
from devstack.template import TemplateError


def translate(template: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The CloudFormation template. Raises TemplateError with the translator's message."""
    from samtranslator.parser.parser import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Parser,
    )
    from samtranslator.public.exceptions import (  # type: ignore[import-untyped]  # noqa: PLC0415
        InvalidDocumentException,
    )
    from samtranslator.translator.translator import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Translator,
    )

    logging.getLogger("samtranslator").setLevel(logging.ERROR)
    values = {
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": "aws",
        **parameters,
    }
    try:
        translated: dict[str, Any] = Translator(None, Parser(), boto_session=session()).translate(
            json.loads(json.dumps(template)), values, get_managed_policy_map=dict
        )
    except InvalidDocumentException as error:
        causes = "\n".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"The template is not valid SAM:\n{causes}") from error
    return translated
