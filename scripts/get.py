# get.py - reads files out of a disk image: the work of `make get FILE=/path [TO=directory]`.
#
# usage: scripts/get.py IMAGE PATH DIRECTORY
#
# PATH comes with all that is below it; a link at its end is followed, links below it stay links.
# An image that was not shut down cleanly is repaired in a copy first, as the next boot would do.
# Exit status 1, with a message for each: what is not there, cannot be read or cannot be written.
import os
import stat
import sys
import tempfile

import ext2
import fsck
import logwrites
import rootimg


class Copier:
    """Counts what was copied and what went wrong."""

    def __init__(self, image):
        self.image = image
        self.copied = self.wrong = 0

    def complain(self, text):
        print("get: " + text, file=sys.stderr)
        self.wrong += 1

    def file(self, inode, target):
        with open(target, "wb") as out:
            for piece in self.image.chunks(inode):
                if isinstance(piece, int):
                    out.seek(piece, os.SEEK_CUR)
                else:
                    out.write(piece)
            out.truncate(inode.size)
        os.chmod(target, stat.S_IMODE(inode.mode) & 0o777 | stat.S_IWUSR)

    def one(self, where, inode, target):
        """Copy one thing; a directory without what is in it."""
        if stat.S_ISREG(inode.mode):
            self.file(inode, target)
        elif stat.S_ISDIR(inode.mode):
            os.makedirs(target, exist_ok=True)
        elif stat.S_ISLNK(inode.mode):
            if os.path.lexists(target):
                os.remove(target)
            os.symlink(self.image.readlink(inode), target)
        else:
            self.complain("%s: not a file, a directory or a link" % where)
            return
        self.copied += 1

    def tree(self, path, directory):
        """Everything at @path into @directory."""
        start = self.image.lookup(path)
        name = os.path.basename(os.path.normpath(path)) if path.strip("/") else ""
        if not stat.S_ISDIR(start.mode):
            self.one(path, start, os.path.join(directory, name))
            return
        top = os.path.join(os.fsencode(directory), os.fsencode(name))
        for where, inode in self.image.walk(path.rstrip("/") + "/."):
            below = where[len(os.fsencode(path.rstrip("/"))) + 2:].lstrip(b"/")
            target = os.path.join(top, below) if below else top
            try:
                self.one(os.fsdecode(where), inode, target)
            except (ext2.Damage, OSError) as error:
                self.complain("%s: %s" % (os.fsdecode(where), error))


def get(image_path, path, directory):
    """Copy. Returns the exit status."""
    os.makedirs(directory, exist_ok=True)
    with ext2.Image(image_path) as image:
        copier = Copier(image)
        copier.tree(path, directory)
    print("get: %d copied to %s" % (copier.copied, directory))
    return 1 if copier.wrong else 0


def main():
    if len(sys.argv) != 4 or not sys.argv[2]:
        sys.exit("usage: make get FILE=/path [TO=directory]")
    image, path, directory = sys.argv[1], sys.argv[2], sys.argv[3] or "."
    if not path.startswith("/"):
        sys.exit("get: FILE=%s: not a path from the root (/...)" % path)
    if not os.path.exists(image):
        sys.exit("get: there is no %s: `make run` makes it" % image)
    held = rootimg.lock() if os.path.abspath(image) == rootimg.ROOT else True
    if not held:
        print("get: a machine is running on it: what it has not synced is missing",
              file=sys.stderr)
    try:
        with ext2.Image(image) as disk:
            clean = disk.super.state & ext2.STATE_CLEAN
        if clean and held:
            return get(image, path, directory)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(image) or ".") as work:
            copy = os.path.join(work, "copy.img")
            logwrites.copy_image(image, copy)
            wrong = fsck.repair(copy)
            if wrong:
                print("get: %s: e2fsck cannot mend it:\n%s" % (image, wrong), file=sys.stderr)
            return get(copy, path, directory)
    except (ext2.Damage, OSError) as error:
        print("get: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
