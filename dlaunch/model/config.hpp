// SPDX-License-Identifier: Apache-2.0
// What a platform is to be: the whole configuration, with the project's defaults.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace casemate::model {

/// What SKINIT does. Anything but `faithful` is a fault, for tests.
enum class SkinitMode {
    faithful,
    unmeasured, // starts the SLB in the right state, but the TPM never hears of it: PCR 17-22 stay FF..
    refuse,     // #UD, as on a processor without SVM
};

/// Whether the machine has a TPM interface at all.
enum class TpmInterface { fifo, none };

struct PlatformConfig {
    std::filesystem::path esp;  // raw FAT image; build_esp() makes one
    std::filesystem::path nvme; // host file behind the NVMe at 00:04.0; empty: a 64 MiB one that goes with the platform
    unsigned processors = 2;
    unsigned memory_mib = 2048;
    /// TPM state to use and keep (made if empty); unset: a new TPM in the private directory.
    std::filesystem::path tpm_state;
    std::string pcr_banks = "sha256,sha384";
    TpmInterface tpm_interface = TpmInterface::fifo; // none: for tests
    /// Commands that serve 10.0.2.100 ports 7001 and 7002, one process a connection, on stdin and stdout; empty: none.
    std::string download_peer;
    std::string upload_peer;
    std::map<unsigned, std::string> further_peers; // likewise, by port
    /// The tap interface behind the NIC; empty: QEMU's user network, without which the two peers are not served.
    std::string tap;
    std::vector<std::string> extra_qemu_arguments;
    SkinitMode skinit = SkinitMode::faithful;
    std::filesystem::path launch_log; // JSON lines, one a launch, appended; empty: none
    std::filesystem::path plugin;     // empty: the one beside this build
};

/// The same processor, NIC and disk with one kernel directly on them, started by QEMU: what the numbers of a driver VM are compared
/// with. No launch, no TPM.
struct NativeConfig {
    std::filesystem::path kernel;
    std::filesystem::path initrd;
    std::string command_line;
    std::filesystem::path nvme;
    unsigned processors = 2;
    unsigned memory_mib = 128;
    std::string tap; // as above
};

} // namespace casemate::model
