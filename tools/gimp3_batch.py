"""Runs inside GIMP 3: calls the plug-in on pictures of a folder and writes what came of it (check_gimp3.py)."""

import json
import os

from gi.repository import Gimp, Gio

FOLDER, COMMAND = os.environ["TRIMATTE_FOLDER"], os.environ["TRIMATTE_COMMAND"]
QUIET = Gimp.RunMode.NONINTERACTIVE


def plugin():
    return Gimp.get_pdb().lookup_procedure("trimatte-matte")


def file(name):
    return Gio.File.new_for_path(os.path.join(FOLDER, name))


def opened():
    image = Gimp.file_load(QUIET, file("image.png"))
    return image, image.get_layers()[0]


def call(image, layer, **options):
    """Run the plug-in. Returns its status and its message."""
    config = plugin().create_config()
    config.set_property("image", image)
    config.set_core_object_array("drawables", [layer])
    for name, value in {"command": COMMAND, **options}.items():
        config.set_property(name, value)
    status = plugin().run(config).index(0)
    return [status.value_nick, Gimp.get_pdb().get_last_error()]


def guided(name, guide, **options):
    """Matte by a guide that is a layer, and save what is seen."""
    image, layer = opened()
    added = Gimp.file_load_layer(QUIET, image, file(guide))
    image.insert_layer(added, None, 0)
    found = call(image, layer, trimap=added, **options)
    Gimp.file_save(QUIET, image, file(name), None)
    return found


def selected(name):
    """Matte by a selection, and save what is seen."""
    image, layer = opened()
    mask = Gimp.file_load_layer(QUIET, image, file("mask.png"))
    image.insert_layer(mask, None, 0)
    image.select_color(Gimp.ChannelOps.REPLACE, mask, Gimp.context_get_foreground())
    image.remove_layer(mask)
    found = call(image, layer, learn=False)
    Gimp.file_save(QUIET, image, file(name), None)
    return found


def main():
    image, layer = opened()
    white = Gimp.context_get_foreground()
    white.set_rgba(1, 1, 1, 1)
    Gimp.context_set_foreground(white)
    found = {
        "version": Gimp.version(),
        "menu": plugin().get_menu_paths(),
        "nothing selected": call(image, layer),
        "no command": guided("none.png", "trimap.png", command="no-such-trimatte"),
        "trimap": guided("by_trimap.png", "trimap.png"),
        "selection": selected("by_selection.png"),
    }
    with open(os.path.join(FOLDER, "found.json"), "w", encoding="utf-8") as result:
        json.dump(found, result)


main()
