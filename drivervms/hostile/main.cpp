// SPDX-License-Identifier: Apache-2.0
// cm-hostile DIRECTORY: every attack in turn, with the function whose sysfs folder is given.
#include "drivervms/hostile/attacks.hpp"

#include <cstdio>
#include <unistd.h>

int main(int argc, char** argv) {
    using namespace casemate::hostile;
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    if (argc != 2) return 2;
    auto edu = EduDevice::open(argv[1]);
    if (!edu || !move_own_memory(*edu)) {
        std::printf("CM_HOSTILE own_dma works=0\n");
        return 1;
    }
    write_foreign_memory(*edu);
    read_foreign_memory(*edu);
    raise_foreign_interrupts(*edu);
    use_msrs();
    call_hypervisor();
    read_ports();
    std::printf("CM_HOSTILE done\n");
    sleep(20); // the test looks at memory now
    touch_tpm();
}
