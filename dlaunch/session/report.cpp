// SPDX-License-Identifier: Apache-2.0
// See report.hpp.
#include "dlaunch/session/report.hpp"

#include "dlaunch/measure/tpm_command_name.hpp"
#include "dlaunch/measure/tpm_wire.hpp"
#include "dlaunch/session/base64.hpp"
#include "dlaunch/session/live_report.hpp"
#include "dlaunch/session/log_view.hpp"

#include <openssl/evp.h>

#include <charconv>
#include <fstream>

namespace casemate::session {

using nlohmann::json;

namespace {

json read_json(const std::filesystem::path& file) {
    std::ifstream in{file};
    json value = json::parse(in, nullptr, false);
    return value.is_discarded() ? json(nullptr) : value;
}

json ledger_definition(const json& ledger, const json& vm_id) {
    for (const json& entry : ledger) {
        if (member(entry, "kind") == "vm_defined" && member(entry, "vm_id") == vm_id) return entry;
    }
    return nullptr;
}

/// By the VM's own word.
json available_kib(const Observation& seen, const json& vm) {
    const auto state = seen.states.find(vm["name"].is_string() ? vm["name"].get<std::string>() : "");
    const std::string said = state == seen.states.end() ? "" : state->second.get("available_kib");
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(said.data(), said.data() + said.size(), value);
    return problem == std::errc{} && end == said.data() + said.size() ? json(value) : json(nullptr);
}

json vms(const Observation& seen, const json& ledger) {
    json all = vm_list(seen.status);
    for (json& vm : all) {
        vm["available_kib"] = available_kib(seen, vm);
        const json definition = ledger_definition(ledger, vm["vm_id"]);
        vm["kernel_sha256"] = member(definition, "kernel_sha256");
        vm["initrd_sha256"] = member(definition, "initrd_sha256");
    }
    return all;
}

/// `measured` comes from the TPM itself, `replayed` from the log, `predicted` from the build.
json pcrs(model::Platform& platform, const json& reference, const LogView& log) {
    using measure::TPM_ALG_ID;
    json all = json::object();
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512}) {
        const std::string name = measure::name_of(bank);
        if (!log.pcrs.contains(name)) continue;
        for (const std::uint32_t pcr : {17U, 18U, 19U}) {
            const std::string number = std::to_string(pcr);
            json& entry = all[name][number];
            entry["measured"] = read_pcr(platform, bank, pcr);
            entry["replayed"] = log.pcrs[name][number];
            if (pcr != 19) entry["predicted"] = member(member(member(reference, "pcrs"), name.c_str()), number.c_str());
        }
    }
    return all;
}

std::string file_sha256(const std::filesystem::path& file, std::uint64_t bytes) {
    std::ifstream in{file, std::ios::binary};
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    std::vector<char> buffer(1 << 20);
    while (bytes > 0 && in) {
        in.read(buffer.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(bytes, buffer.size())));
        EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
        bytes -= static_cast<std::uint64_t>(in.gcount());
    }
    std::uint8_t digest[32];
    EVP_DigestFinal_ex(context.get(), digest, nullptr);
    return bytes == 0 ? hex(digest) : "";
}

json fields_of(const ConsoleEvent& proof) {
    json object = json::object();
    for (const auto& [key, value] : proof.fields) object[key] = value;
    return object;
}

json net_proof(Session& session, const ConsoleEvent& proof) {
    json net = fields_of(proof);
    const json upload = read_json(session.upload_result());
    net["peer_rx_sha256"] = member(upload, "sha256");
    net["peer_tx_sha256"] = session.download_sha256();
    net["agrees"] = !proof.get("rx_sha256").empty() && net["peer_tx_sha256"] == proof.get("rx_sha256") &&
                    net["peer_rx_sha256"] == proof.get("tx_sha256");
    return net;
}

json disk_proof(Session& session, const ConsoleEvent& proof) {
    json disk = fields_of(proof);
    const std::string bytes = proof.get("bytes");
    disk["host_sha256"] = bytes.empty() ? "" : file_sha256(session.nvme_image(), std::stoull(bytes));
    disk["agrees"] = !proof.get("write_sha256").empty() && proof.get("write_sha256") == proof.get("read_sha256") &&
                     disk["host_sha256"] == proof.get("read_sha256");
    return disk;
}

json traffic(Session& session) {
    const auto& proofs = session.seen().proofs;
    const auto net = proofs.find("net");
    const auto disk = proofs.find("disk");
    return {{"net", net == proofs.end() ? json(nullptr) : net_proof(session, net->second)},
            {"disk", disk == proofs.end() ? json(nullptr) : disk_proof(session, disk->second)}};
}

json phase_list(const std::vector<std::pair<std::string, double>>& phases) {
    json all = json::array();
    for (const auto& [name, seconds] : phases) all.push_back({{"name", name}, {"seconds", seconds}});
    return all;
}

std::optional<std::string> pcr_contradiction(const json& pcrs) {
    if (pcrs.empty()) return "no PCR could be compared";
    for (const auto& [bank, values] : pcrs.items()) {
        for (const auto& [pcr, value] : values.items()) {
            const std::string where = "PCR " + pcr + " in bank " + bank;
            if (value["measured"].is_null()) return where + " could not be read";
            if (pcr != "19" && value["measured"] != value["predicted"]) return where + " is not what the build predicts";
            if (value["measured"] != value["replayed"]) return where + " is not what the log replays to";
        }
    }
    return std::nullopt;
}

std::optional<std::string> custody_contradiction(const json& devices) {
    std::size_t held = 0;
    for (const json& device : devices) held += device["state"] == "assigned" && device["holder"].is_string() ? 1 : 0;
    if (held < 2) return "only " + std::to_string(held) + " devices are held by a VM";
    return std::nullopt;
}

json tpm_commands(const model::TpmCommandCounts& counts) {
    json localities = json::object();
    for (const auto& [locality, commands] : counts)
        for (const auto& [code, count] : commands) {
            const std::string_view name = measure::tpm_command_name(code);
            localities[std::to_string(locality)][name.empty() ? std::to_string(code) : std::string{name}] = count;
        }
    return localities;
}

} // namespace

json read_pcr(model::Platform& platform, measure::TPM_ALG_ID bank, std::uint32_t pcr) {
    std::uint8_t buffer[measure::tpm_buffer_size];
    const auto response = platform.tpm_command(measure::tpm2_pcr_read(buffer, bank, pcr));
    if (!response.ok()) return nullptr;
    const auto value = measure::parse_pcr_read(response.value(), bank, pcr);
    return value.ok() ? json(hex(value.value().view())) : json(nullptr);
}

json make_report(Session& session, const std::vector<std::pair<std::string, double>>& phases) {
    const Observation& seen = session.seen();
    const json reference = read_json(session.reference());
    const json evidence = session.last_evidence();
    const std::vector<std::uint8_t> raw_log = from_base64(member(member(evidence, "evidence"), "log"));
    const LogView log = view_log(raw_log);
    return {{"version", 1},
            {"phases", phase_list(phases)},
            {"launch", seen.launches.empty() ? json(nullptr) : seen.launches.back()},
            {"pcrs", pcrs(session.platform(), reference, log)},
            {"appraisal", {{"verdict", member(evidence, "verdict")}, {"reasons", array_member(evidence, "reasons")}}},
            {"vms", vms(seen, log.ledger)},
            {"devices", device_list(seen.status)},
            {"link_ends", link_end_list(seen.status)},
            {"ledger", log.ledger},
            {"ledger_problem", log.problem.empty() ? json(nullptr) : json(log.problem)},
            {"traffic", traffic(session)},
            {"tpm_commands", tpm_commands(session.platform().tpm_command_counts())}};
}

bool last_log_is_current(Session& session) {
    const LogView log = view_log(from_base64(member(member(session.last_evidence(), "evidence"), "log")));
    const json replayed = member(member(log.pcrs, "sha256"), "19");
    return replayed.is_string() && replayed == read_pcr(session.platform(), measure::TPM_ALG_ID::SHA256, 19);
}

std::optional<std::string> verdict(const json& report) {
    if (report["appraisal"]["verdict"] != "affirming") return "the verifier's last verdict is not affirming";
    if (!report["ledger_problem"].is_null()) return report["ledger_problem"].get<std::string>();
    if (const auto problem = pcr_contradiction(report["pcrs"])) return problem;
    if (const auto problem = custody_contradiction(report["devices"])) return problem;
    for (const char* kind : {"net", "disk"}) {
        if (member(report["traffic"][kind], "agrees") != true) {
            return std::string{"the traffic proof of "} + kind + " does not agree with the host's end";
        }
    }
    return std::nullopt;
}

std::string summary(const json& report) {
    const json& net = report["traffic"]["net"];
    const json& disk = report["traffic"]["disk"];
    const auto text = [](const json& object, const char* key) {
        const json value = member(object, key);
        return value.is_string() ? value.get<std::string>() : value.dump();
    };
    return "Launch     SKINIT measured the SLB; PCR 17 and 18 equal the build's prediction in every bank\n"
           "Evidence   " + text(report["appraisal"], "verdict") + "; the ledger has " +
           std::to_string(report["ledger"].size()) + " entries and replays to PCR 19\n"
           "Network    " + text(net, "address") + ": " + text(net, "rx_bytes") + " bytes in " + text(net, "rx_seconds") +
           " s down, " + text(net, "tx_bytes") + " bytes in " + text(net, "tx_seconds") + " s up, SHA-256 equal at both ends\n"
           "Disk       " + text(disk, "bytes") + " bytes written in " + text(disk, "write_seconds") + " s, read in " +
           text(disk, "read_seconds") + " s, SHA-256 equal, and the host's image holds them\n";
}

bool write_report(const json& report, const std::filesystem::path& file) {
    const std::filesystem::path part = file.string() + ".part";
    std::ofstream out{part};
    out << report.dump(2) << '\n';
    out.close();
    std::error_code problem;
    if (out) std::filesystem::rename(part, file, problem);
    return out && !problem;
}

} // namespace casemate::session
