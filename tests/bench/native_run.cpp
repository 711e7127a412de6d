// SPDX-License-Identifier: Apache-2.0
// The native side: the driver VM's own kernel and image directly on the emulated machine.
#include "tests/bench/run.hpp"

#include "dlaunch/model/byte_io.hpp"
#include "dlaunch/model/child.hpp"
#include "dlaunch/model/console.hpp"
#include "dlaunch/model/qemu_command.hpp"
#include "dlaunch/model/state_dir.hpp"

#include <fstream>

namespace casemate::bench {

namespace fs = std::filesystem;
using model::fail;
using model::Millis;

namespace {

constexpr std::chrono::seconds run_limit{300};
constexpr unsigned native_quiet_seconds = 1; // no exits to be counted here
constexpr std::uintmax_t disk_bytes = 512ULL << 20;
// The firmware's last line before it enters the kernel that QEMU handed it.
constexpr const char* kernel_entry = "Booting from ROM";

/// `iommu=pt`: the kernel's own IOMMU left out of its way, the honest baseline. `maxcpus=1`: a driver VM has one
/// processor; the machine has two, as Casemate's, so that QEMU emulates the same memory model.
std::string command_line(const RunPlan& plan) {
    const std::string interrupts = model::emulator().remaps_line_interrupts() ? "" : " intremap=off"; // Linux would not boot
    return "console=ttyS0 quiet panic=-1 iommu=pt maxcpus=1" + interrupts + measuring_arguments(plan.task, native_quiet_seconds);
}

class NativeMachine {
public:
    NativeMachine(model::StateDir state, std::unique_ptr<model::Reactor> reactor)
        : state_{std::move(state)}, reactor_{std::move(reactor)} {}
    ~NativeMachine() {
        if (qemu_) qemu_->stop(Millis{1000});
    }

    Status<model::Error> start(const RunPlan& plan) {
        const fs::path disk = state_.path() / "nvme.img";
        std::ofstream{disk};
        fs::resize_file(disk, disk_bytes);
        model::Channel com1 = TRY(model::make_socket_channel());
        const fs::path images = plan.artefacts.images();
        model::ChildSpec spec;
        spec.name = "qemu";
        spec.command = model::native_command(model::emulator(), {.kernel = images / "vmlinuz",
                                              .initrd = images / (std::string{vm_of(*plan.task.workload)} + ".img"),
                                              .command_line = command_line(plan),
                                              .nvme = disk,
                                              .tap = plan.task.network.tap},
                                             com1.theirs.get());
        spec.inherited = {com1.theirs.get()};
        spec.noise = "TCG doesn't support requested feature";
        console_ = std::move(com1.ours);
        log_file_ = plan.console_log;
        TRY(reactor_->watch(console_.get(), [this] { on_console(); }));
        qemu_ = TRY(model::Child::start(*reactor_, std::move(spec), {}));
        return Done{};
    }

    Status<model::Error> run(const RunPlan& plan) {
        const auto give_up = Clock::now() + run_limit;
        while (!log_.finished()) {
            reactor_->step(Millis{200});
            plan.on_idle();
            if (plan.interrupted()) return fail("interrupted");
            if (!qemu_->running()) return fail(qemu_->epitaph());
            if (Clock::now() > give_up) return fail("the native kernel did not finish within 300 s");
        }
        if (!log_.failure().empty()) return fail(log_.failure());
        return Done{};
    }

    [[nodiscard]] const RunLog& log() const { return log_; }
    [[nodiscard]] std::optional<Clock::time_point> kernel_entered() const { return kernel_entered_; }

private:
    void on_console() {
        std::vector<std::uint8_t> bytes;
        if (model::read_available(console_.get(), bytes) == model::ReadOutcome::end)
            return reactor_->forget(console_.get());
        watch_firmware(bytes);
        lines_.append(bytes, [this](const std::string& line) { on_line(line); });
    }
    /// The firmware ends that line only when something is printed after it, so the bytes are looked at as they come.
    void watch_firmware(const std::vector<std::uint8_t>& bytes) {
        if (kernel_entered_) return;
        firmware_.append(bytes.begin(), bytes.end());
        if (firmware_.find(kernel_entry) != std::string::npos) kernel_entered_ = Clock::now();
    }
    void on_line(const std::string& line) {
        if (!log_file_.empty()) std::ofstream{log_file_, std::ios::app} << line << '\n';
        log_.take(line, Clock::now());
    }

    model::StateDir state_;
    std::unique_ptr<model::Reactor> reactor_;
    model::UniqueFd console_;
    model::ConsoleLines lines_;
    std::unique_ptr<model::Child> qemu_;
    fs::path log_file_;
    std::string firmware_; // what it has printed so far
    RunLog log_;
    std::optional<Clock::time_point> kernel_entered_;
};

} // namespace

model::Outcome<RunResult> run_native(const RunPlan& plan) {
    auto state = TRY(model::StateDir::create());
    auto reactor = TRY(model::Reactor::create());
    NativeMachine machine{std::move(state), std::move(reactor)};
    TRY(machine.start(plan));
    TRY(machine.run(plan));
    if (!machine.kernel_entered()) return fail("the firmware did not say when it entered the kernel");
    RunResult result;
    collect(machine.log(), *machine.kernel_entered(), result);
    return result;
}

} // namespace casemate::bench
