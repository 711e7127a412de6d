// SPDX-License-Identifier: Apache-2.0
// See session.hpp.
#include "dlaunch/session/session.hpp"

#include "dlaunch/model/esp.hpp"
#include "dlaunch/session/verifier_client.hpp"

#include <charconv>
#include <fstream>
#include <thread>
#include <poll.h>
#include <sys/eventfd.h>

namespace casemate::session {

namespace fs = std::filesystem;
using model::Child;
using model::ChildSpec;
using model::Error;
using model::fail;
using model::Millis;

namespace {

constexpr std::uint64_t disk_bytes = 512ULL << 20;
constexpr std::uint64_t download_bytes = 128ULL << 20;
constexpr const char* download_seed = "1";
constexpr auto verifier_start_limit = std::chrono::seconds{15};
constexpr Millis step_limit{200};
constexpr Millis child_patience{2000};

std::string read_text(const fs::path& file) {
    std::ifstream in{file};
    return {std::istreambuf_iterator<char>{in}, {}};
}

} // namespace

Session::Session(SessionConfig config, model::StateDir state, std::unique_ptr<model::Reactor> reactor)
    : config_{std::move(config)}, state_{std::move(state)}, reactor_{std::move(reactor)} {
    if (config_.reference.empty()) config_.reference = config_.artefacts.reference();
}

Session::~Session() {
    if (platform_) platform_->stop();
    if (relay_) relay_->stop(child_patience);
    if (relay_thread_.joinable()) {
        eventfd_write(relay_stop_.get(), 1);
        relay_thread_.join();
    }
    if (verifier_) verifier_->stop(child_patience);
}

model::Outcome<std::unique_ptr<Session>> Session::start(SessionConfig config) {
    if (const auto missing = config.artefacts.missing()) {
        return fail("the build has no " + missing->string() + "; run ./casemate build");
    }
    auto state = TRY(model::StateDir::create());
    auto reactor = TRY(model::Reactor::create());
    std::unique_ptr<Session> session{new Session{std::move(config), std::move(state), std::move(reactor)}};
    TRY(session->prepare());
    return session;
}

Status<Error> Session::prepare() {
    TRY(make_esp());
    TRY(make_home());
    const auto identity = TRY(model::ensure_tpm(home() / "tpm", config_.pcr_banks));
    if (!config_.secrets.empty())
        TRY(seal_secrets({home(), config_.reference, config_.artefacts.keys() / "owner.pem"}, config_.secrets));
    TRY(start_verifier(identity));
    if (config_.bootstrap)
        TRY(seal_bootstrap({home(), config_.reference, config_.artefacts.keys() / "owner.pem"}, verifier_client(), *config_.bootstrap));
    TRY(start_platform());
    TRY(start_relay());
    return config_.operator_directory.empty() ? Done{} : listen_for_operator();
}

Status<Error> Session::make_esp() {
    const Artefacts& built = config_.artefacts;
    std::map<std::string, fs::path> files{
        {"slb.bin", built.slb()}, {"hypervisor.elf", built.hypervisor()}, {"policy.cbor", built.policy()}};
    for (const char* image : {"vmlinuz", "agent.img", "net0.img", "disk0.img"}) {
        files[image] = built.images() / image;
    }
    for (const auto& [name, file] : config_.replaced) files[name] = file;

    std::ofstream cfg{directory() / "launch.cfg"};
    cfg << "slb = slb.bin\nhypervisor = hypervisor.elf\npolicy = policy.cbor\n";
    model::EspFiles esp{{"EFI/BOOT/BOOTX64.EFI", built.launcher()}, {"casemate/launch.cfg", directory() / "launch.cfg"}};
    for (const auto& [name, file] : files) {
        esp["casemate/" + name] = file;
        if (name != "slb.bin" && name != "hypervisor.elf" && name != "policy.cbor") cfg << "image = " << name << "\n";
    }
    cfg.close();
    if (!cfg) return fail("cannot write " + (directory() / "launch.cfg").string());
    return model::build_esp(esp, directory() / "esp.img");
}

/// A disk that is there already keeps what is on it.
Status<Error> Session::make_home() const {
    std::error_code problem;
    fs::create_directories(home(), problem);
    fs::permissions(home(), fs::perms::owner_all, problem);
    if (!fs::exists(nvme_image())) std::ofstream{nvme_image()};
    if (!problem) fs::resize_file(nvme_image(), disk_bytes, problem);
    if (problem) return fail("cannot make " + nvme_image().string() + ": " + problem.message());
    return Done{};
}

Status<Error> Session::start_verifier(const model::TpmIdentity& identity) {
    const fs::path port_file = directory() / "verifier.port";
    const fs::path keys = config_.artefacts.keys();
    ChildSpec spec{.name = "verifier",
                   .command = {config_.artefacts.program("casemate-verifierd"), "--state", directory() / "verifier",
                               "--listen", "127.0.0.1:0", "--port-file", port_file, "--tls-certificate",
                               keys / "server.pem", "--tls-key", keys / "server.key.pem", "--grant-key",
                               keys / "grant.pem", "--audit-key", keys / "audit.pem", "--result-key", keys / "result.pem",
                               "--operator-token", keys / "operator.token", "--ek-ca",
                               identity.ca_certificates, "--reference", config_.reference},
                   .environment = {},
                   .inherited = {}};
    verifier_ = TRY(Child::start(*reactor_, std::move(spec), {}));
    const auto give_up = Clock::now() + verifier_start_limit;
    while (!fs::exists(port_file) || read_text(port_file).empty()) {
        reactor_->step(Millis{20});
        if (!verifier_->running()) return fail("the verifier " + verifier_->epitaph());
        if (Clock::now() > give_up) return fail("the verifier did not start within 15 s");
    }
    verifier_url_ = "https://127.0.0.1:" + std::to_string(std::stoul(read_text(port_file)));
    return Done{};
}

Status<Error> Session::start_platform() {
    const std::string peer = config_.artefacts.program("casemate-peer");
    model::PlatformConfig platform;
    platform.esp = directory() / "esp.img";
    platform.nvme = nvme_image();
    platform.processors = config_.processors;
    platform.memory_mib = config_.memory_mib;
    platform.tpm_state = home() / "tpm";
    platform.pcr_banks = config_.pcr_banks;
    platform.download_peer = peer + " download " + std::to_string(download_bytes) + " " + download_seed;
    platform.upload_peer = peer + " upload " + upload_result().string();
    platform.further_peers = config_.further_peers;
    if (config_.guests_verifier_port != 0)
        platform.further_peers[config_.guests_verifier_port] = peer + " forward " + verifier_url_.substr(verifier_url_.rfind(':') + 1);
    platform.tap = config_.tap;
    platform.extra_qemu_arguments = config_.extra_qemu_arguments;
    platform.skinit = config_.skinit;
    model::PlatformEvents events;
    events.on_console_line = [this](const std::string& line) { on_line(line); };
    events.on_launch = [this](const model::LaunchRecord& record) {
        seen_.launched_when = Clock::now();
        seen_.launches.push_back(nlohmann::json::parse(model::to_json(record)));
    };
    events.on_ending = [this](const model::Ending& ending) { seen_.ending = ending.reason; };
    platform_ = TRY(model::Platform::start(std::move(platform), std::move(events)));
    return Done{};
}

Status<Error> Session::start_relay_here() {
    relay_stop_ = model::UniqueFd{eventfd(0, EFD_CLOEXEC)};
    if (relay_stop_.get() < 0) return model::fail_errno("cannot make an eventfd");
    relay::RelayOptions options;
    options.socket = platform_->management_uart_path();
    options.verifier = verifier_url_;
    options.authority = config_.artefacts.keys() / "ca.pem";
    options.report = relay::report_to_file(directory() / "status.json");
    options.orders = relay::waiting_in_file(directory() / "orders.json");
    options.secrets = relay::waiting_in_file(home() / "secrets.json");
    options.carrier = config_.carrier;
    relay_thread_ = std::thread{[options, stop = relay_stop_.get()] { (void)relay::run_relay(options, stop); }};
    return Done{};
}

Status<Error> Session::start_relay() {
    if (!config_.management_uart) return Done{};
    if (config_.carrier) return start_relay_here();
    ChildSpec spec{.name = "relay",
                   .command = {config_.artefacts.program("casemate-relay"), "--uart",
                               platform_->management_uart_path(), "--verifier", verifier_url_, "--ca",
                               config_.artefacts.keys() / "ca.pem", "--report", directory() / "status.json",
                               "--orders", directory() / "orders.json", "--secrets", home() / "secrets.json"},
                   .environment = {},
                   .inherited = {}};
    relay_ = TRY(Child::start(*reactor_, std::move(spec), {}));
    return Done{};
}

Status<Error> Session::listen_for_operator() {
    operator_ = TRY(OperatorSocket::open(config_.operator_directory, [this] { return live_status(); }));
    operator_->on_order(
        [this](const std::string& vm, const std::string& order) { return orders_.place(vm, order, Clock::now()); });
    return Done{};
}

bool Session::run_until(const std::function<bool(const Observation&)>& done, std::chrono::seconds limit) {
    const auto give_up = Clock::now() + limit;
    auto next_idle = Clock::now();
    while (!done(seen_)) {
        if (platform_->ending() || Clock::now() > give_up) return false;
        platform_->step(step_limit);
        reactor_->step(Millis{0});
        if (operator_) operator_->step(Clock::now());
        if (Clock::now() < next_idle) continue;
        next_idle = Clock::now() + std::chrono::seconds{1};
        read_status();
        orders_.tick(Clock::now());
        if (idle_) idle_();
    }
    return true;
}

void Session::on_line(const std::string& line) {
    seen_.lines.push_back(line);
    if (!config_.console_log.empty()) std::ofstream{config_.console_log, std::ios::app} << line << '\n';
    if (auto event = parse_event(line)) {
        seen_.events.push_back({std::move(*event), Clock::now()});
    } else if (const auto vm_line = parse_vm_line(line)) {
        if (auto proof = parse_proof(vm_line->text)) seen_.proofs[proof->name] = std::move(*proof);
        if (auto state = parse_state(vm_line->text)) seen_.states[vm_line->vm] = std::move(*state);
        if (operator_) operator_->console_line(vm_line->vm, vm_line->text);
    }
    if (console_) console_(line);
}

void Session::read_status() {
    const fs::path file = directory() / "status.json";
    if (!fs::exists(file)) return;
    auto status = nlohmann::json::parse(read_text(file), nullptr, false);
    if (status.is_discarded() || status == seen_.status) return;
    seen_.status = std::move(status);
    seen_.status_when = Clock::now();
    live_.take(seen_.status);
    orders_.take(seen_.status, [this](std::uint64_t number, std::uint64_t error) {
        if (operator_) operator_->order_done(number, error);
    });
}

/// UNTRUSTED: which core a VM is on is read from the console.
void Session::add_core(nlohmann::json& vm) const {
    vm["core"] = nullptr;
    if (!vm["name"].is_string()) return;
    const SeenEvent* defined = seen_.find("vm_defined", {{"vm", vm["name"].get<std::string>()}});
    if (defined == nullptr) return;
    const std::string text = defined->event.get("core");
    std::size_t core = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), core).ec == std::errc{}) vm["core"] = core;
}

nlohmann::json Session::live_status() const {
    if (live_.empty()) return nullptr;
    const auto since = [](Clock::time_point then) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - then).count();
    };
    nlohmann::json status = live_.view();
    for (auto& vm : status["vms"]) add_core(vm);
    status["session"] = {{"pid", ::getpid()}, {"running_ms", since(started_)}};
    status["report_age_ms"] = since(seen_.status_when);
    return status;
}

VerifierClient Session::verifier_client() const {
    const fs::path keys = config_.artefacts.keys();
    return {verifier_url_, keys / "ca.pem", keys / "operator.token"};
}

nlohmann::json Session::ask_verifier(const std::string& path) const { return verifier_client().get(path); }

nlohmann::json Session::last_evidence() const {
    const auto results = ask_verifier("/v1/results");
    if (!results.is_object() || !results.contains("results") || results["results"].empty()) return nullptr;
    return ask_verifier("/v1/platforms/" + results["results"][0].value("platform_id", "") + "/evidence");
}

std::string Session::download_sha256() const {
    const std::string command =
        config_.artefacts.program("casemate-peer").string() + " digest " + std::to_string(download_bytes) + " " + download_seed;
    const std::unique_ptr<FILE, decltype(&pclose)> pipe{popen(command.c_str(), "r"), &pclose};
    char digest[65] = {};
    return pipe && std::fgets(digest, sizeof digest, pipe.get()) != nullptr ? digest : "";
}

nlohmann::json Session::tell_verifier(const std::string& path, const nlohmann::json& body) const {
    return verifier_client().post(path, body);
}

nlohmann::json Session::remove_at_verifier(const std::string& path) const {
    const fs::path keys = config_.artefacts.keys();
    return VerifierClient{verifier_url_, keys / "ca.pem", keys / "operator.token"}.remove(path);
}

} // namespace casemate::session
