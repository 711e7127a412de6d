// SPDX-License-Identifier: Apache-2.0
// The whole road of a machine without a measured launch: GRUB, Debian's tboot, the hand-over, the SLB, the hypervisor, in QEMU with a
// software TPM. tboot finds no TXT and falls through; the hypervisor finds no measured launch and says that it refuses every grant.
#include <catch2/catch.hpp>

#include "dlaunch/model/child.hpp"
#include "dlaunch/model/emulator.hpp"
#include "dlaunch/model/state_dir.hpp"

#include <fstream>
#include <sstream>
#include <thread>

using namespace casemate;
using namespace casemate::model;

namespace {

constexpr int patience = 240; // half seconds; a fault ends the machine earlier
const std::filesystem::path build{CASEMATE_BUILD};

// tboot 1.10.5 moves modules that GRUB loaded below it, but forgets the list of modules when that lies below them. A string of 3.8 KB
// makes the list larger than the gap there.
const std::string room(3800, 'x');

template <typename Value>
Value good(Outcome<Value> outcome) {
    if (!outcome) throw std::runtime_error(outcome.error().text);
    return std::move(outcome).value();
}

class Machine {
public:
    /// `menu`: lines of GRUB's entry; files that it names lie in /boot.
    explicit Machine(const std::string& menu) : scratch_{good(StateDir::create())}, reactor_{good(Reactor::create())} {
        const auto boot = path() / "iso/boot";
        std::filesystem::create_directories(boot / "grub");
        std::filesystem::create_directories(path() / "tpm");
        for (const char* file : {"bin/handover.elf", "bin/slb.bin", "bin/hypervisor.elf", "policy.cbor", "tboot/boot/tboot.gz"})
            std::filesystem::copy_file(build / file, boot / std::filesystem::path{file}.filename());
        std::ofstream{boot / "grub/grub.cfg"} << "serial --unit=0 --speed=115200\nterminal_output serial\nset timeout=0\nmenuentry casemate {\n" << menu << "}\n";
        const auto made = run_tool({"grub-mkrescue", {"grub-mkrescue", "-o", (path() / "boot.iso").string(), (path() / "iso").string()}, {}, {}, {}}, Millis{120000});
        if (!made) throw std::runtime_error(made.error().text);
        start();
    }

    /// Until COM1 has said it; false when the machine has ended, or nothing more comes.
    bool says(const std::string& text) {
        for (int i = 0; i < patience && qemu_->running(); ++i) {
            if (console().find(text) != std::string::npos) return true;
            (void)reactor_->step(Millis{500});
        }
        return console().find(text) != std::string::npos;
    }
    [[nodiscard]] std::string console() const {
        std::ostringstream text;
        text << std::ifstream{path() / "com1", std::ios::binary}.rdbuf();
        return text.str();
    }

private:
    [[nodiscard]] const std::filesystem::path& path() const { return scratch_.path(); }

    void start() {
        const std::string socket = (path() / "tpm.sock").string();
        tpm_ = good(Child::start(*reactor_, {"swtpm", {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + (path() / "tpm").string(), "--ctrl", "type=unixio,path=" + socket}, {}, {}, {}}, {}));
        for (int i = 0; i < patience && !std::filesystem::exists(socket); ++i) std::this_thread::sleep_for(std::chrono::milliseconds{100});
        qemu_ = good(Child::start(*reactor_, {"qemu", {"qemu-system-x86_64", "-nodefaults", "-no-user-config", "-nographic", "-vga", "none", "-no-reboot", "-accel", "tcg", "-machine", "q35,smm=off",
            "-device", "amd-iommu,intremap=on", "-cpu", "EPYC-v1,+svm,+npt,+skinit,x-force-features=on", "-m", "1024", "-cdrom", (path() / "boot.iso").string(),
            "-chardev", "socket,id=tpm,path=" + socket, "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-tis,tpmdev=tpm0",
            "-serial", "file:" + (path() / "com1").string()}, {}, {}, "doesn't support requested feature"}, {}));
    }

    StateDir scratch_;
    std::unique_ptr<Reactor> reactor_;
    std::unique_ptr<Child> tpm_, qemu_; // end with this object
};

const std::string files = "module2 /boot/hypervisor.elf hypervisor.elf\nmodule2 /boot/policy.cbor policy.cbor\n";

} // namespace

TEST_CASE("tboot finds no TXT and falls through; the hypervisor finds no measured launch and refuses every grant", "[txt][platform]") {
    Machine machine{"multiboot2 /boot/tboot.gz logging=serial\nmodule2 /boot/handover.elf handover.elf\n" + files + "module2 /boot/slb.bin slb.bin " + room + "\n"};
    CHECK(machine.says("no measured launch: every grant is refused"));
    const std::string console = machine.console();
    INFO(console);
    CHECK(console.find("SINIT ACM not provided") != std::string::npos);      // tboot's own words
    CHECK(console.find("@cm event=hand_over_slb measured=0") != std::string::npos);
    CHECK(console.find("@cm event=measured kind=0") != std::string::npos);   // the SLB's, after a look at the TPM
    CHECK(console.find("launch=0") != std::string::npos);                    // the hypervisor's
}

TEST_CASE("GRUB alone comes as far", "[txt][platform]") {
    Machine machine{"multiboot2 /boot/handover.elf\n" + files + "module2 /boot/slb.bin slb.bin\n"};
    CHECK(machine.says("no measured launch: every grant is refused"));
}

TEST_CASE("a hand-over without its files says so and starts nothing", "[txt][platform]") {
    Machine machine{"multiboot2 /boot/handover.elf\n" + files};
    CHECK(machine.says("@cm event=hand_over_refused reason=file_missing"));
    CHECK(machine.console().find("slb_start") == std::string::npos);
}
