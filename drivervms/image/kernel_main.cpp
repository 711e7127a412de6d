// SPDX-License-Identifier: Apache-2.0
// casemate-kernel: unpacks Debian's kernel file into one that boots from where it lies. Same input, same bytes.
#include "drivervms/image/files.hpp"
#include "drivervms/image/unpacked_kernel.hpp"

#include <cstdio>
#include <exception>

using namespace casemate::image;

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fprintf(stderr, "usage: casemate-kernel VMLINUZ OUT\n");
        return 2;
    }
    write_file(argv[2], unpacked_kernel(read_file(argv[1])));
} catch (const std::exception& error) {
    std::fprintf(stderr, "casemate-kernel: %s\n", error.what());
    return 1;
}
