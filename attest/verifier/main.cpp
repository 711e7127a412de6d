// SPDX-License-Identifier: Apache-2.0
// casemate-verifierd: command line and configuration file to a running service; stops on SIGTERM or SIGINT.
// Exit codes: 0 stopped by a signal, 1 usage (from CLI11: its own codes), 2 cannot start, with one sentence.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>

#include <CLI/CLI.hpp>
#include <malloc.h>
#include <sys/stat.h>

#include "attest/keystore/open_key.hpp"
#include "attest/verifier/log.hpp"
#include "attest/verifier/service.hpp"

namespace casemate::verifier {
namespace {

namespace fs = std::filesystem;

struct StartError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// A service on a network has limits; the defaults of Settings have none.
Settings limited() {
    Settings settings;
    settings.caller_rate = 100;
    settings.stranger_rate = 200;
    return settings;
}

struct CommandLine {
    HttpOptions http;
    Settings settings = limited();
    std::string listen = "127.0.0.1:8443";
    fs::path state;
    std::string store;
    fs::path port_file;
    std::string grant_key;
    fs::path grant_key_secret;
    fs::path previous_grant_key;
    fs::path audit_key;
    std::int64_t checkpoint_rows = 1000;
    fs::path operator_token;
    fs::path metrics_token;
    fs::path operators;
    fs::path results_key;
    std::vector<fs::path> ek_authorities;
    std::vector<fs::path> references;
    unsigned request_seconds = 30;
    std::int64_t result_seconds = 300;
    std::int64_t silent_seconds = 900;
    bool quiet = false;
};

void declare(CLI::App& app, CommandLine& line) {
    app.set_config("--config", "", "read options from this file (TOML, same names)");
    auto* state = app.add_option("--state", line.state, "directory of a SQLite database, private to this user");
    auto* store = app.add_option("--store", line.store, "sqlite:FILE, or postgresql:CONNINFO (libpq's; no password in it)");
    state->excludes(store);
    app.add_option("--listen", line.listen, "IP address and TCP port, port 0 = any free one")->capture_default_str();
    app.add_option("--port-file", line.port_file, "write the port here once the service listens");
    app.add_option("--tls-certificate", line.http.certificate, "PEM, server certificate and its chain")->required();
    app.add_option("--tls-key", line.http.key, "PEM, its private key")->required();
    app.add_option("--grant-key", line.grant_key,
                   "the P-256 key that signs grants: file:PEM, pkcs11:URI or tpm:HANDLE?tcti=TCTI")->required();
    app.add_option("--grant-key-secret", line.grant_key_secret, "file with the PIN or password of that device, mode 0600");
    app.add_option("--previous-grant-key", line.previous_grant_key,
                   "public half (PEM) of the grant key before this one, while leases run under it: they are renewed with the new one");
    app.add_option("--audit-key", line.audit_key, "PEM, the P-256 key that signs the audit trail's checkpoints");
    app.add_option("--checkpoint-rows", line.checkpoint_rows, "rows of the audit trail from one checkpoint to the next")
        ->capture_default_str()->check(CLI::Range(1, 1'000'000));
    app.add_option("--operator-token", line.operator_token, "file with a bearer token of the role owner")->required();
    app.add_option("--metrics-token", line.metrics_token, "file with a bearer token that reads /metrics; none: operators only");
    app.add_option("--client-ca", line.http.client_authority, "PEM, the authority of operators' client certificates");
    app.add_option("--operators", line.operators, "JSON, which client certificate is which operator");
    app.add_option("--result-key", line.results_key, "PEM, the P-256 key that signs results; none: no signed results");
    app.add_option("--result-seconds", line.result_seconds, "how long a signed result is valid")
        ->capture_default_str()->check(CLI::Range(10, 86400));
    app.add_flag("--inventory-only", line.settings.inventory_only, "enrol only platforms that an owner listed");
    app.add_option("--ek-ca", line.ek_authorities, "file or directory of EK certificate authorities; repeatable");
    app.add_option("--reference", line.references, "reference.json; repeatable; replaces the stored sets");
    app.add_option("--lease-seconds", line.settings.lease_seconds, "lease of a grant; the policy's maximum wins")
        ->capture_default_str()->check(CLI::Range(5, 86400));
    app.add_option("--idle-seconds", line.settings.idle_seconds, "next evidence where no lease runs")
        ->capture_default_str()->check(CLI::Range(1, 3600));
    app.add_option("--silent-seconds", line.silent_seconds,
                   "alarm for a platform without an affirming verdict for so long; 0 = none")
        ->capture_default_str()->check(CLI::Range(0, 31'536'000));
    app.add_option("--threads", line.http.threads, "worker threads")->capture_default_str()->check(CLI::Range(1, 64));
    app.add_option("--request-seconds", line.request_seconds, "a request, an answer or an idle connection may take so long")
        ->capture_default_str()->check(CLI::Range(1, 3600));
    app.add_option("--max-connections", line.http.max_connections, "open connections")
        ->capture_default_str()->check(CLI::Range(1, 100'000));
    app.add_option("--max-peer-connections", line.http.max_peer_connections, "of one address; 0 = nearly all")->capture_default_str();
    app.add_option("--caller-rate", line.settings.caller_rate, "requests a second of one platform or operator; 0 = no limit")
        ->capture_default_str()->check(CLI::Range(0, 1'000'000));
    app.add_option("--stranger-rate", line.settings.stranger_rate, "of one address without a good token; 0 = no limit")
        ->capture_default_str()->check(CLI::Range(0, 1'000'000));
    app.add_flag("--quiet", line.quiet, "log warnings and errors only");
}

/// "127.0.0.1:8443" or "[::1]:8443".
void split_listen(const std::string& text, HttpOptions& http) {
    const std::size_t colon = text.rfind(':');
    const std::string digits = colon == std::string::npos ? "" : text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() || port > 65535)
        throw StartError("--listen takes ADDRESS:PORT, not \"" + text + "\"");
    http.address = text.substr(0, colon);
    if (http.address.starts_with('[') && http.address.ends_with(']'))
        http.address = http.address.substr(1, http.address.size() - 2);
    http.port = static_cast<std::uint16_t>(port);
}

std::string read_text(const fs::path& file) {
    std::ifstream stream{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw StartError("cannot read " + file.string());
    return text;
}

std::string read_token(const char* whose, const fs::path& file) {
    std::string token = read_text(file);
    while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
    if (token.size() < 32) throw StartError(std::string(whose) + " token in " + file.string() + " is shorter than 32 characters");
    return token;
}

void make_private_directory(const fs::path& directory) {
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        throw StartError("cannot make the directory " + directory.string());
    struct stat status {};
    const bool usable = ::stat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    if (!usable || (status.st_mode & 077) != 0)
        throw StartError(directory.string() + " must be a directory that only this user can enter (mode 0700)");
}

cose::Signer read_signer(const char* what, const fs::path& file) {
    Result<cose::Signer, cose::SignError> signer = cose::Signer::from_pem_file(file.string());
    if (!signer) throw StartError(what + (" " + file.string()) + ": " + cose::describe(signer.error()));
    return std::move(signer).value();
}

cose::Signer open_grant_key(const CommandLine& line) {
    auto signer = keystore::open_key(line.grant_key, line.grant_key_secret.string());
    if (!signer) throw StartError("grant key: " + signer.error());
    return std::move(signer).value();
}

std::optional<cose::PublicPoint> previous_grant_key(const CommandLine& line) {
    if (line.previous_grant_key.empty()) return std::nullopt;
    const auto key = cose::read_public_key(line.previous_grant_key.string());
    if (!key) throw StartError("previous grant key " + line.previous_grant_key.string() + ": " + cose::describe(key.error()));
    return key.value();
}

/// An alarm for a platform that only waits as long as it was told to would be none.
Millis silence_of(const CommandLine& line) {
    if (line.silent_seconds != 0 && line.silent_seconds <= line.settings.idle_seconds)
        throw StartError("--silent-seconds must be more than --idle-seconds, in which a platform may be silent");
    return line.silent_seconds * 1000;
}

void sign_checkpoints(const CommandLine& line, store::Store& store) {
    if (line.audit_key.empty()) {
        log(LogLevel::warning, "audit_unsigned", {{"why", "no --audit-key: the audit trail gets no signed checkpoints"}});
        return;
    }
    store.sign_checkpoints({line.checkpoint_rows, [key = read_signer("audit key", line.audit_key)](const audit::Checkpoint& checkpoint) {
        auto message = audit::sign(checkpoint, key);
        if (!message) throw CryptoFailure(std::string("cannot sign a checkpoint: ") + cose::describe(message.error()));
        return std::move(message).value();
    }});
}

std::unique_ptr<store::Store> open_store(const CommandLine& line, const std::shared_ptr<Metrics>& metrics) {
    if (line.state.empty() && line.store.empty()) throw StartError("--state or --store must say where the store is");
    if (!line.state.empty()) make_private_directory(line.state);
    const std::size_t connections = static_cast<std::size_t>(line.http.threads) + 2; // the watch, and one to spare
    const auto observer = [metrics](store::Step step, std::chrono::nanoseconds took) { metrics->store_step(step, took); };
    auto store = line.store.empty() ? store::open_sqlite_store(line.state / "verifier.sqlite", observer)
                                    : store::open_store(line.store, connections, observer);
    sign_checkpoints(line, *store);
    return store;
}

/// Without an authority no client certificate would ever be seen: half of a configuration is refused.
CertificateMap read_operators(const CommandLine& line) {
    if (line.operators.empty() != line.http.client_authority.empty())
        throw StartError("--client-ca and --operators go together: give both or none");
    if (line.operators.empty()) return {};
    Result<CertificateMap, ApiError> map = CertificateMap::parse(read_text(line.operators));
    if (!map) throw StartError("operators " + line.operators.string() + ": " + map.error().detail);
    return std::move(map).value();
}

ServiceParts parts_of(const CommandLine& line, std::function<ConnectionCounts()> connections) {
    Settings settings = line.settings;
    settings.silent_after = silence_of(line);
    settings.result_lifetime = line.result_seconds * 1000;
    std::optional<cose::Signer> results_key;
    if (!line.results_key.empty()) results_key = read_signer("result key", line.results_key);
    EkAuthorities authorities;
    for (const fs::path& path : line.ek_authorities) authorities.add(path);
    std::vector<std::pair<std::string, std::string>> references;
    for (const fs::path& file : line.references) references.emplace_back(read_text(file), file.filename().string());
    const auto metrics = std::make_shared<Metrics>();
    return {open_store(line, metrics),
            open_grant_key(line),
            std::move(authorities),
            read_token("the operator's", line.operator_token),
            settings,
            &system_now,
            std::move(references),
            read_operators(line),
            std::move(results_key),
            metrics,
            line.metrics_token.empty() ? "" : read_token("the metrics'", line.metrics_token),
            std::move(connections),
            previous_grant_key(line)};
}

/// Whole or not at all: a reader that waits for the file never sees half a number.
void write_port(const fs::path& file, std::uint16_t port) {
    const fs::path draft = file.string() + ".new";
    std::ofstream stream{draft, std::ios::trunc};
    stream << port << "\n";
    if (!stream.flush()) throw StartError("cannot write " + file.string());
    stream.close();
    fs::rename(draft, file);
}

/// Often enough that an alarm is hardly later than it must be.
std::chrono::milliseconds watch_interval(const CommandLine& line) {
    constexpr std::int64_t least = 1000;
    constexpr std::int64_t most = 15'000;
    return std::chrono::milliseconds{line.silent_seconds == 0 ? most : std::clamp(line.silent_seconds * 100, least, most)};
}

void refuse_development_key(const CommandLine& line) {
    if (cose::refuses_key_file(line.http.key)) throw StartError("TLS key: " + std::string(cose::describe(cose::SignError::development_key)));
}

/// What an operator changes while the service runs: who the operators are, and its certificate. All of it is good, or nothing changes.
void reload(const CommandLine& line, Service& service, HttpServer& server) {
    try {
        refuse_development_key(line);
        CertificateMap operators = read_operators(line);
        server.reload_tls();
        service.replace_operators(std::move(operators));
        log(LogLevel::info, "reloaded", {});
    } catch (const std::exception& failure) {
        log(LogLevel::error, "reload_failed", {{"what", failure.what()}});
    }
}

void serve(const CommandLine& line, const sigset_t& signals) {
    refuse_development_key(line);
    std::atomic<const HttpServer*> running{nullptr};
    Service service{parts_of(line, [&running] {
        const HttpServer* server = running;
        return server == nullptr ? ConnectionCounts{} : server->connections();
    })};
    HttpServer server{line.http, [&service](const HttpRequest& request) { return service.answer(request); }};
    running = &server;
    std::optional<WatchThread> watch;
    watch.emplace(service.watch(), watch_interval(line));
    if (!line.port_file.empty()) write_port(line.port_file, server.port());
    log(LogLevel::info, "listening", {{"address", line.http.address}, {"port", server.port()},
                                      {"references", service.reference_count()}});
    int signal = 0;
    while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) reload(line, service, server);
    log(LogLevel::info, "stopping", {{"signal", signal}});
    service.stop();
    server.stop();
    watch.reset(); // no row behind the signed head
    service.close();
}

/// A request takes and gives back some 100 KiB: not from the kernel and to it each time.
void keep_freed_memory() {
    constexpr int mebibyte = 1024 * 1024;
    mallopt(M_MMAP_THRESHOLD, 4 * mebibyte);
    mallopt(M_TRIM_THRESHOLD, 4 * mebibyte);
    mallopt(M_TOP_PAD, mebibyte / 2);
}

/// Before any thread exists, so that only sigwait() sees them.
sigset_t block_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
}

} // namespace
} // namespace casemate::verifier

int main(int argc, char** argv) {
    using namespace casemate::verifier;
    keep_freed_memory();
    CommandLine line;
    CLI::App app{"Checks the evidence of Casemate platforms and grants devices to their VMs.", "casemate-verifierd"};
    declare(app, line);
    CLI11_PARSE(app, argc, argv);
    if (line.quiet) set_log_level(LogLevel::warning);
    try {
        split_listen(line.listen, line.http);
        line.http.request_time = std::chrono::seconds{line.request_seconds};
        serve(line, block_signals());
        return 0;
    } catch (const std::exception& failure) {
        std::cerr << "casemate-verifierd: " << failure.what() << "\n";
        return 2;
    }
}
