"""The media of the stack before, for `vsl up --keep`: CloudFormation refuses a bucket that is there, so they
wait in another one until the stack's own is made."""

import shutil
from pathlib import Path
from typing import Any

from devstack.engine import ACCOUNT

_WAITING = "vsl-waiting"


def set_aside(objects: Path) -> None:
    """Before the engine starts, which finds its buckets in `objects`: a folder each, below the account's."""
    account = objects / ACCOUNT
    waiting = account / _WAITING
    for bucket in sorted(account.glob("*-media-*")):
        # What waits already is of a start that did not come to its end.
        shutil.copytree(bucket, waiting, dirs_exist_ok=True)
        shutil.rmtree(bucket)


def bring_back(s3: Any, bucket: str) -> None:
    """Into the stack's own bucket, with their content types and all."""
    if _WAITING not in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        return
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=_WAITING)
    for key in [each["Key"] for page in pages for each in page.get("Contents", ())]:
        source = {"Bucket": _WAITING, "Key": key}
        s3.copy_object(Bucket=bucket, Key=key, CopySource=source)
        s3.delete_object(**source)
    s3.delete_bucket(Bucket=_WAITING)
