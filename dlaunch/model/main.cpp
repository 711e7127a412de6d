// SPDX-License-Identifier: Apache-2.0
// casemate-platform: one emulated platform from the command line; COM1 goes to standard output.
// Exit status: 0 when --until was seen, or when there is no --until and the machine powered off by itself;
// 1 with a sentence on standard error otherwise.
#include "dlaunch/model/esp.hpp"
#include "dlaunch/model/platform.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>
#include <regex>
#include <sys/prctl.h>

namespace {

using namespace casemate::model;
namespace fs = std::filesystem;

volatile std::sig_atomic_t interrupted = 0;

struct Options {
    PlatformConfig platform;
    std::string esp_directory;
    std::string until;
    double timeout_seconds = 120;
    bool quiet = false;
    bool no_measure = false;
};

int complain(const std::string& sentence) {
    std::cerr << "casemate-platform: " << sentence << '\n';
    return 1;
}

void declare(CLI::App& app, Options& options) {
    auto* source = app.add_option_group("esp", "what to boot");
    source->add_option("--esp", options.platform.esp, "FAT image of the EFI system partition");
    source->add_option("--esp-dir", options.esp_directory, "directory to make that image from");
    source->require_option(1);
    app.add_option("--smp", options.platform.processors, "processors (2)");
    app.add_option("--memory", options.platform.memory_mib, "memory in MiB (2048)");
    app.add_option("--nvme", options.platform.nvme, "host file behind the NVMe disk");
    app.add_option("--tpm-state", options.platform.tpm_state, "TPM state directory to keep and use again");
    app.add_option("--banks", options.platform.pcr_banks, "PCR banks of a new TPM (sha256,sha384)");
    app.add_option("--download-peer", options.platform.download_peer, "command that serves 10.0.2.100:7001");
    app.add_option("--upload-peer", options.platform.upload_peer, "command that serves 10.0.2.100:7002");
    app.add_option("--qemu-arg", options.platform.extra_qemu_arguments, "one more argument for QEMU (repeat)")
        ->allow_extra_args(false);
    app.add_option("--launch-log", options.platform.launch_log, "append one JSON line for each SKINIT");
    app.add_option("--timeout", options.timeout_seconds, "seconds to run at most (120)");
    app.add_option("--until", options.until, "stop, with success, at the first console line that matches");
    app.add_flag("--no-measure", options.no_measure, "fault: SKINIT launches without measuring");
    app.add_flag("--quiet", options.quiet, "no console on standard output");
}

/// Runs until the pattern, the end of the platform, the time limit or a signal.
int run(const Options& options) {
    const std::regex until{options.until.empty() ? "$^" : options.until};
    bool seen = false;
    PlatformEvents events;
    events.on_console_line = [&](const std::string& line) {
        if (!options.quiet) std::cout << line << std::endl;
        seen = seen || (!options.until.empty() && std::regex_search(line, until));
    };
    events.on_launch = [](const LaunchRecord& record) { std::cerr << "skinit: " << to_json(record) << std::endl; };
    events.on_log = [](const std::string& line) { std::cerr << "model: " << line << std::endl; };
    const auto started = Platform::start(options.platform, std::move(events));
    if (!started) return complain(started.error().text);
    Platform& platform = *started.value();
    std::cerr << "model: COM2 is " << platform.management_uart_path().string() << ", EK certificate "
              << platform.tpm_identity().ek_certificate.string() << std::endl;
    const auto deadline =
        std::chrono::steady_clock::now() + Millis{static_cast<Millis::rep>(options.timeout_seconds * 1000)};
    while (!seen && !platform.ending()) {
        if (interrupted) return complain("interrupted");
        if (std::chrono::steady_clock::now() > deadline) return complain("nothing more happened in time");
        platform.step(Millis{100});
    }
    if (seen) return 0;
    if (!options.until.empty() || platform.ending()->failed) return complain(platform.ending()->reason);
    std::cerr << "model: " << platform.ending()->reason << std::endl;
    return platform.ending()->status;
}

} // namespace

int main(int argc, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        std::signal(signal, [](int) { interrupted = 1; });
    std::signal(SIGPIPE, SIG_IGN);
    CLI::App app{"Casemate's emulated platform: QEMU, OVMF, swtpm and a model of SKINIT"};
    Options options;
    declare(app, options);
    CLI11_PARSE(app, argc, argv);
    if (options.no_measure) options.platform.skinit = SkinitMode::unmeasured;
    if (options.esp_directory.empty()) return run(options);

    const auto scratch = StateDir::create();
    if (!scratch) return complain(scratch.error().text);
    const auto files = list_directory(options.esp_directory);
    if (!files) return complain(files.error().text);
    options.platform.esp = scratch.value().path() / "esp.img";
    const auto built = build_esp(files.value(), options.platform.esp);
    return built ? run(options) : complain(built.error().text);
}
