"""`prov images`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from provisioner.cli import options, session

if TYPE_CHECKING:
    from provisioner.sdk.transfer import Tell
    from provisioner.spec.schema import ClusterSpec

app = typer.Typer(no_args_is_help=True, help="What machines boot from: schematics, downloads, mirrors.")

ArtifactArgument = Annotated[
    list[str],
    typer.Argument(metavar="IMAGE...", help="Such as metal-amd64.iso, or aws-amd64 for the usual disk image."),
]


@app.command()
def show(
    file: options.FileOption = options.DEFAULT_FILE, var: options.VarOption = None, json: options.JsonOption = False
) -> None:
    """Show the schematic that the file asks for: its id, its text, and where its images and installers are."""
    from provisioner.render.table import columns
    from provisioner.talos.images.installer import installer_image
    from provisioner.workflow.images import text_of, wish

    spec = _spec(file, var)
    wanted = wish(spec)
    text = text_of(spec) if wanted.recipe else ""
    if json:
        session.data_json(
            {
                "version": wanted.version,
                "schematic": wanted.schematic,
                "stock": wanted.stock,
                "text": text,
                "factory": wanted.factory,
                "installer": installer_image(wanted, "metal"),
            }
        )
        return
    rows = [
        ("release", wanted.version),
        ("schematic", wanted.schematic),
        ("factory", wanted.factory),
        ("installer", installer_image(wanted, "metal")),
    ]
    session.data(columns(rows) + (f"\n{text}" if text and not wanted.stock else ""))


@app.command()
def register(file: options.FileOption = options.DEFAULT_FILE, var: options.VarOption = None) -> None:
    """Tell the Image Factory what the file customises, and print the id that it has there."""
    from provisioner.workflow import images

    session.data(f"{images.registered(_spec(file, var))}\n")


@app.command()
def check(
    image: Annotated[
        list[str] | None,
        typer.Argument(metavar="[IMAGE...]", help="Images to have made too, such as metal-amd64.iso."),
    ] = None,
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
) -> None:
    """Ask the Image Factory whether it has the file's release, extensions and overlay, and makes the images."""
    from provisioner.talos.images.artifacts import Artifact
    from provisioner.workflow import images

    spec = _spec(file, var)
    artifacts = [(text, Artifact.parse(text)) for text in image or ()]
    images.check(spec)
    session.say("the factory has all that the file asks for")
    for text, artifact in artifacts:
        session.say(f"{text} has {_mib(images.made(images.wish(spec), artifact))}")


@app.command()
def url(
    image: ArtifactArgument, file: options.FileOption = options.DEFAULT_FILE, var: options.VarOption = None
) -> None:
    """Print where the Image Factory has an image."""
    from provisioner.talos.images.artifacts import Artifact, artifact_url
    from provisioner.workflow.images import wish

    wanted = wish(_spec(file, var))
    for each in map(Artifact.parse, image):
        session.data(f"{artifact_url(wanted, each.platform, each.arch, each.form)}\n")


@app.command()
def fetch(
    image: ArtifactArgument,
    unpack: Annotated[bool, typer.Option("--unpack", help="Decompress it too.")] = False,
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
) -> None:
    """Download images into the cache, and print where they are. The first time one is made, it takes minutes."""
    from provisioner.talos.images.artifacts import Artifact
    from provisioner.workflow import images

    wanted, downloads = images.wish(_spec(file, var)), images.cache(session.world())
    get = images.fetch_unpacked if unpack else images.fetch
    for text, artifact in [(text, Artifact.parse(text)) for text in image]:
        session.data(f"{get(downloads, wanted, artifact, _progress(text)).path}\n")


@app.command()
def mirror(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="It is made if need be, and may hold others already.")
    ],
    image: ArtifactArgument,
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
) -> None:
    """Put images into a folder laid out like the Image Factory, for places that have no way to one."""
    from provisioner.talos.images.artifacts import Artifact
    from provisioner.workflow import images

    wanted, downloads = images.wish(_spec(file, var)), images.cache(session.world())
    artifacts = [Artifact.parse(text) for text in image]
    images.mirror(downloads, wanted, artifacts, folder, _progress("the images"))
    session.say(f"use it with `talos: {{factory: {folder.absolute().as_uri()}}}`, or serve the folder over HTTP")


@app.command("list")
def list_(json: options.JsonOption = False) -> None:
    """List what is in the cache."""
    from provisioner.render.table import columns
    from provisioner.workflow import images

    downloads = images.cache(session.world())
    files = images.cached(downloads)
    if json:
        session.data_json(
            [
                {
                    "path": str(f.path),
                    "size": f.size,
                    "sha256": f.sha256,
                    "used": f.used.isoformat(timespec="seconds"),
                }
                for f in files
            ]
        )
        return
    if not files:
        session.say(f"nothing is in {downloads.folder}")
        return
    rows = [(_mib(f.size), f.used.date().isoformat(), f.path.relative_to(downloads.folder).as_posix()) for f in files]
    session.say(f"in {downloads.folder}:")
    session.data(columns([("SIZE", "USED", "FILE"), *rows]))


@app.command()
def prune(
    days: Annotated[float, typer.Option("--days", help="Files that nobody asked for in so many days.", min=0)] = 30,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget their checksums too, so that another content is accepted.")
    ] = False,
    yes: options.YesOption = False,
) -> None:
    """Remove files from the cache."""
    from provisioner.workflow import images

    world = session.world()
    downloads = images.cache(world)
    files = images.unused(images.cached(downloads), world.now(), days)
    if not files:
        session.say("nothing is to be removed")
        return
    session.say("".join(f"  {f.path}\n" for f in files) + f"{_mib(sum(f.size for f in files))} in all")
    session.ask("Remove them?", yes=yes, first="prov images list")
    images.prune(downloads, files, forget=forget)


@app.command()
def published(
    cloud: Annotated[str, typer.Option("--cloud", help="One cloud only, such as aws.")] = "",
    region: Annotated[str, typer.Option("--region", help="One region only.")] = "",
    arch: Annotated[str, typer.Option("--arch", help="One architecture only.")] = "",
    releases: Annotated[
        str | None,
        typer.Option("--releases", help="Where releases have their files, if not at GitHub.", envvar="PROV_RELEASES"),
    ] = None,
    file: options.FileOption = options.DEFAULT_FILE,
    var: options.VarOption = None,
    json: options.JsonOption = False,
) -> None:
    """List the official cloud images of the file's release; they have no customisations."""
    from attrs import asdict

    from provisioner.render.table import columns
    from provisioner.talos.images.published import AWS_OWNER, RELEASES, aws_name, gcp_name
    from provisioner.workflow import images

    version = images.talos_of(_spec(file, var)).version
    found = images.published_images(images.cache(session.world()), version, releases or RELEASES)
    asked = (("cloud", cloud), ("region", region), ("arch", arch))
    fits = [each for each in found if all(text in ("", getattr(each, name)) for name, text in asked)]
    if json:
        session.data_json([asdict(each) for each in fits])
        return
    session.say(f"on AWS they belong to {AWS_OWNER} and are called {aws_name(version, 'REGION', 'ARCH')}")
    session.say(f"on Google Cloud they are called {gcp_name(version, 'ARCH')}")
    if fits:
        rows = [(each.cloud, each.region, each.arch, each.id) for each in fits]
        session.data(columns([("CLOUD", "REGION", "ARCH", "ID"), *rows]))
    else:
        session.say("none is published there")


def _spec(file: Path, var: list[str] | None) -> ClusterSpec:
    """The file alone: images need no state."""
    from provisioner.spec.load import load
    from provisioner.state.values import unsealer

    environ = session.world().environ
    return load(file, variables=session.parsed_variables(var), environ=environ, unseal=unsealer(environ))


def _progress(what: str) -> Tell:
    """Tells of every tenth of a download."""
    tenth = -1

    def tell(done: int, total: int) -> None:
        nonlocal tenth
        now = 10 * done // total if total else 0
        if now != tenth and total:
            tenth = now
            session.say(f"{what}: {_mib(done)} of {_mib(total)}")

    return tell


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
