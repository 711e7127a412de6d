// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/model/platform.hpp"

#include "dlaunch/model/qemu_command.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

namespace casemate::model {
namespace {

namespace fs = std::filesystem;
constexpr Millis qemu_patience{0}; // asked to end it waits for its TPM, which this process serves: pull the plug
constexpr Millis swtpm_patience{1'000};
constexpr Millis cause_limit{3'000}; // a program's descriptors close well before it is gone, on a busy host
constexpr std::uintmax_t default_nvme_size = 64 * 1024 * 1024;

Status<Error> copy_firmware_variables(const fs::path& target) {
    std::error_code failed;
    if (!fs::exists(firmware_code)) return fail(std::string{"no firmware at "} + firmware_code + ": install ovmf");
    fs::copy_file(firmware_variables_template, target, failed);
    if (failed) return fail("cannot copy the firmware's variables: " + failed.message());
    return Done{};
}

Status<Error> make_sparse(const fs::path& file, std::uintmax_t size) {
    std::error_code failed;
    std::ofstream{file};
    fs::resize_file(file, size, failed);
    if (failed) return fail("cannot make " + file.string() + ": " + failed.message());
    return Done{};
}

Status<Error> check_readable(const fs::path& file, const char* what) {
    if (::access(file.c_str(), R_OK) != 0) return fail_errno(std::string{what} + " " + file.string());
    return Done{};
}

} // namespace

Platform::Platform(PlatformConfig config, StateDir state, std::unique_ptr<Reactor> reactor)
    : config_{std::move(config)}, state_{std::move(state)}, reactor_{std::move(reactor)} {}

Platform::~Platform() { stop(); }

Outcome<std::unique_ptr<Platform>> Platform::start(PlatformConfig config, PlatformEvents events) {
    StateDir state = TRY(StateDir::create());
    auto reactor = TRY(Reactor::create());
    std::unique_ptr<Platform> platform{
        new Platform{std::move(config), std::move(state), std::move(reactor)}};
    TRY(platform->prepare());
    TRY(platform->start_qemu());
    if (const auto confined = platform->confine_processors(); !confined)
        return fail(platform->ending_ ? platform->ending_->reason : platform->cause_of(confined.error().text));
    platform->events_ = std::move(events); // what happened before it, start() reports
    TRY(platform->skinit_->power_on());
    return platform;
}

Status<Error> Platform::prepare() {
    if (config_.plugin.empty()) config_.plugin = emulator().plugin_interface() == 1 ? CASEMATE_SKINIT_PLUGIN : CASEMATE_SKINIT_PLUGIN_3;
    TRY(check_readable(config_.esp, "EFI system partition"));
    TRY(check_readable(config_.plugin, "SKINIT plugin"));
    TRY(copy_firmware_variables(state_.path() / "ovmf-vars.fd"));
    if (config_.nvme.empty()) {
        config_.nvme = state_.path() / "nvme.img";
        TRY(make_sparse(config_.nvme, default_nvme_size));
    }
    const fs::path tpm = config_.tpm_state.empty() ? state_.path() / "tpm" : fs::absolute(config_.tpm_state);
    identity_ = TRY(ensure_tpm(tpm, config_.pcr_banks));
    return Done{};
}

Status<Error> Platform::start_tpm(UniqueFd qemu_control) {
    Channel control = TRY(make_socket_channel());
    ChildSpec spec;
    spec.name = "swtpm";
    spec.command = {"swtpm",  "socket", "--tpm2", "--tpmstate", "dir=" + identity_.directory.string() + ",mode=0600",
                    "--ctrl", "type=unixio,clientfd=" + std::to_string(control.theirs.get())};
    spec.environment = {{"TMPDIR", state_.path().string()}};
    spec.inherited = {control.theirs.get()};
    swtpm_ = TRY(Child::start(*reactor_, std::move(spec), [this] { on_tpm_exit(); }));
    control.theirs.reset();
    TpmProxy::Events events;
    events.log = [this](const std::string& line) {
        if (events_.on_log) events_.on_log(line);
    };
    events.failed = [this](const std::string& reason) { fail_with(cause_of(reason)); };
    auto proxy = TpmProxy::create(*reactor_, std::move(qemu_control), std::move(control.ours), std::move(events));
    if (!proxy) return fail(proxy.error().text + "; " + swtpm_->epitaph());
    tpm_ = std::move(proxy).value();
    return Done{};
}

Status<Error> Platform::start_qemu() {
    Channel tpm = TRY(make_socket_channel());
    Channel com1 = TRY(make_socket_channel());
    const UniqueFd com2 = TRY(listen_at(management_uart_path()));
    Channel debugger = TRY(make_socket_channel());
    Channel monitor = TRY(make_socket_channel());
    Channel verdicts = TRY(make_pipe_to_child());
    TRY(start_tpm(std::move(tpm.ours)));
    const QemuWiring wiring{com1.theirs.get(),     com2.get(),           tpm.theirs.get(),
                            debugger.theirs.get(), monitor.theirs.get(), verdicts.theirs.get(),
                            state_.path() / "ovmf-vars.fd", config_.nvme, config_.plugin};
    ChildSpec spec;
    spec.name = "qemu";
    spec.command = qemu_command(emulator(), config_, wiring);
    spec.environment = {{"TMPDIR", state_.path().string()}};
    spec.noise = "TCG doesn't support requested feature"; // we force one, and QEMU warns of it
    spec.inherited = {wiring.com1, wiring.com2, wiring.tpm_control, wiring.debugger, wiring.monitor,
                      wiring.verdicts};
    TRY(watch_console(std::move(com1.ours)));
    monitor_ = TRY(QmpClient::create(*reactor_, std::move(monitor.ours)));
    qemu_ = TRY(Child::start(*reactor_, std::move(spec), [this] { on_qemu_exit(); }));
    skinit_ = std::make_unique<SkinitModel>(GdbClient{std::move(debugger.ours)}, std::move(verdicts.ours), *tpm_,
                                            config_.skinit);
    return reactor_->watch(skinit_->fd(), [this] { on_debugger(); });
}

/// Before they execute anything: QEMU 7.2 is right only if no two of them run at the same time (docs/adr/0009).
Status<Error> Platform::confine_processors() {
    const auto processors = TRY(monitor_->execute("query-cpus-fast", nlohmann::json::object()));
    for (const auto& each : processors) {
        processor_threads_.push_back(each.at("thread-id").get<int>());
        TRY(host_processor_.confine(processor_threads_.back()));
    }
    return Done{};
}

Status<Error> Platform::watch_console(UniqueFd console) {
    console_ = std::move(console);
    return reactor_->watch(console_.get(), [this] { on_console(); });
}

void Platform::step(Millis max_wait) {
    if (!ending_) reactor_->step(max_wait);
}

void Platform::on_console() {
    std::vector<std::uint8_t> bytes;
    if (read_available(console_.get(), bytes) == ReadOutcome::end) return reactor_->forget(console_.get());
    lines_.append(bytes, [this](const std::string& line) {
        if (events_.on_console_line) events_.on_console_line(line);
    });
}

void Platform::on_debugger() {
    const auto record = skinit_->on_readable();
    if (!record) {
        reactor_->forget(skinit_->fd());
        return fail_with(cause_of("SKINIT model: " + record.error().text));
    }
    if (record.value()) record_launch(*record.value());
}

void Platform::record_launch(const LaunchRecord& record) {
    if (!config_.launch_log.empty()) std::ofstream{config_.launch_log, std::ios::app} << to_json(record) << '\n';
    if (events_.on_launch) events_.on_launch(record);
}

Outcome<nlohmann::json> Platform::monitor(const std::string& command, const nlohmann::json& arguments) {
    return monitor_->execute(command, arguments);
}

void Platform::drain_console() {
    while (console_.valid() && wait_readable(console_.get(), Millis{0})) {
        std::vector<std::uint8_t> bytes;
        if (read_available(console_.get(), bytes) != ReadOutcome::data) break;
        lines_.append(bytes, events_.on_console_line ? events_.on_console_line : [](const std::string&) {});
    }
    lines_.flush(events_.on_console_line ? events_.on_console_line : [](const std::string&) {});
}

void Platform::on_qemu_exit() {
    drain_console();
    const int status = qemu_->exit_status();
    if (status == 0) return end({false, 0, "the machine was powered off or reset"});
    end({status < 0, status, qemu_->epitaph()});
}

void Platform::on_tpm_exit() {
    if (!tpm_ || !tpm_->shut_down()) fail_with(swtpm_->epitaph());
}

/// A broken channel is often noticed before the end of the program that broke it: that end is the better sentence.
std::string Platform::cause_of(const std::string& symptom) {
    const auto deadline = std::chrono::steady_clock::now() + cause_limit;
    while (std::chrono::steady_clock::now() < deadline)
        for (const auto* child : {&swtpm_, &qemu_})
            if (*child && (*child)->ends_within(Millis{50})) return (*child)->epitaph();
    return symptom;
}

void Platform::end(Ending ending) {
    if (ending_) return;
    ending_ = std::move(ending);
    if (events_.on_ending) events_.on_ending(*ending_);
}

void Platform::stop() {
    if (qemu_) qemu_->stop(qemu_patience);
    if (swtpm_) swtpm_->stop(swtpm_patience);
}

} // namespace casemate::model
