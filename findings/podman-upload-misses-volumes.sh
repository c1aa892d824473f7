#!/usr/bin/env bash
# Podman 4.3.1 (Debian 12) speaks Docker's API, and puts a file that is sent to a created container beside its volumes.
#
# Expected, as Docker does it (`docker cp` to a container that was created and never started): PUT
# /containers/{id}/archive with a path below a volume's mount point writes to the volume, so whoever mounts the volume
# next has the file (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/PutContainerArchive).
# Seen: the answer is 200, and the volume is empty: the file lies in the container's own layer, under the mount point, where
# neither the process nor GET on the same path will ever see it.
# For users: programs that fill volumes through Docker's API without a running container (our delivery of documents and
# secrets, and what else seeds volumes so) succeed on Podman and deliver nothing.
# Needs root, apt-get of Debian 12 and PyPI; nothing is installed.
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
mkdir packages home storage run && cd packages
apt-get download --quiet=2 'podman=4.3.1*' conmon libgpgme11 libassuan0 libsubid4 busybox-static netavark golang-github-containers-common \
    2>/dev/null
for package in *.deb; do dpkg -x "$package" ../tree; done
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check docker==7.2.0

export HOME="$folder/home" LD_LIBRARY_PATH="$folder/tree/usr/lib/$(uname -m)-linux-gnu" CONTAINERS_CONF="$folder/containers.conf"
mkdir -p "$HOME/.config/containers"
echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$HOME/.config/containers/policy.json"
printf '[engine]\nconmon_path=["%s/tree/usr/bin/conmon"]\nhelper_binaries_dir=["%s/tree/usr/lib/podman"]\n[network]\n' "$folder" "$folder" >"$CONTAINERS_CONF"
printf 'network_backend="netavark"\nnetwork_config_dir="%s/networks"\n' "$folder" >>"$CONTAINERS_CONF"
podman=tree/usr/bin/podman
$podman --version | grep -q "4\.3\.1"
$podman --root "$folder/storage" --runroot "$folder/run" --storage-driver vfs --cgroup-manager cgroupfs \
    system service --time 60 "unix://$folder/podman.sock" >service.log 2>&1 &
tar -cf image.tar -C tree bin

unset LD_LIBRARY_PATH
venv/bin/python - "$folder" <<'PYTHON'
import io, pathlib, sys, tarfile, time
import docker

folder = pathlib.Path(sys.argv[1])
for _ in range(100):
    try:
        client = docker.DockerClient(base_url=f"unix://{folder}/podman.sock", version="1.41", timeout=60)
        client.ping()
        break
    except Exception:
        time.sleep(0.1)
product = client.version()["Components"][0]["Name"]
client.api.import_image_from_file(str(folder / "image.tar"), repository="filled", tag="1")
(image,) = client.images.list()
client.volumes.create("seeded")
made = client.api.create_container(
    image.id, command=["/bin/busybox", "true"],
    host_config=client.api.create_host_config(binds=["seeded:/data"], network_mode="none"),
)["Id"]
text = io.BytesIO()
with tarfile.open(fileobj=text, mode="w") as archive:
    member = tarfile.TarInfo("data/hello")
    member.size = 2
    archive.addfile(member, io.BytesIO(b"hi"))
accepted = client.api.put_archive(made, "/", text.getvalue())
mounts = [mount["Name"] for mount in client.api.inspect_container(made)["Mounts"]]
try:
    client.api.get_archive(made, "/data/hello")
    back = True
except docker.errors.NotFound:
    back = False
volume = [path.name for path in (folder / "storage" / "volumes" / "seeded" / "_data").iterdir()]
print(f"{product}: accepted {accepted}, mounts {mounts}, given back {back}, in the volume {volume}")
layers = [path.read_text() for path in (folder / "storage" / "vfs" / "dir").rglob("data/hello")]
assert (product, accepted, mounts, back, volume, layers) == ("Podman Engine", True, ["seeded"], False, [], ["hi"])
PYTHON
echo "as described"
