/* make_safe OUTFOLDER [WIDTH HEIGHT]: writes a made-up L2A product (sizes in metres, multiples of
 * 60) below OUTFOLDER and prints its path: what the demo maps when nothing real can be fetched. */
#include <cpl_vsi.h>
#include <stdio.h>
#include <stdlib.h>

#include "safe_fixture.h"

static int metres(const char *text)
{
    char *end;
    const long value = strtol(text, &end, 10);
    return *end || value < 60 || value > 120000 || value % 60 ? 0 : (int)value;
}

int main(int argc, char **argv)
{
    safe_fixture fixture = safe_fixture_default();
    char path[1024];
    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: make_safe OUTFOLDER [WIDTH HEIGHT]\n");
        return 2;
    }
    fixture.width = argc == 4 ? metres(argv[2]) : 6000;
    fixture.height = argc == 4 ? metres(argv[3]) : 6000;
    if (!fixture.width || !fixture.height) {
        fprintf(stderr, "make_safe: sizes are metres, multiples of 60, at most 120000\n");
        return 2;
    }
    if (!safe_fixture_possible()) {
        fprintf(stderr, "make_safe: this GDAL lacks the JP2OpenJPEG or SENTINEL2 driver\n");
        return 1;
    }
    if (VSIMkdirRecursive(argv[1], 0755) != 0 ||
        safe_fixture_write(argv[1], &fixture, path, sizeof path) != 0) {
        fprintf(stderr, "make_safe: %s: cannot be written\n", argv[1]);
        return 1;
    }
    printf("%s\n", path);
    return 0;
}
