// SPDX-License-Identifier: Apache-2.0
// See command.hpp.
#include "attest/owner/command.hpp"

#include "attest/owner/epoch_counter.hpp"

#include <CLI/CLI.hpp>

namespace casemate::owner {

void add_platform_options(CLI::App& command, PlatformOptions& options, const Defaults& defaults) {
    options.directories = {defaults.platform};
    command.add_option("--platform", options.directories, "the platform's directory; may be given several times")
        ->type_name("DIR")->allow_extra_args(false)->capture_default_str();
    command.add_option("--tpm", options.tpm, "the platform's TPM, by its TCTI (device:/dev/tpmrm0); that of an emulated platform is in DIR/tpm")
        ->type_name("TCTI");
    command.add_flag("--json", options.json, "print JSON");
}

std::unique_ptr<TpmAccess> tpm_of(const PlatformDirectory& directory, const PlatformOptions& options) {
    const auto emulated = directory.path() / "tpm";
    if (options.tpm.empty() && !std::filesystem::is_directory(emulated)) return nullptr;
    return or_stop(open_tpm(options.tpm.empty() ? emulated.string() : options.tpm));
}

PlatformRecord current_record(const PlatformDirectory& directory, const PlatformOptions& options) {
    const auto tpm = tpm_of(directory, options);
    return or_stop(tpm ? brought_up_to_date(directory, *tpm) : read_record(directory));
}

} // namespace casemate::owner
