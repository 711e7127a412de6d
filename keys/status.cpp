// SPDX-License-Identifier: Apache-2.0
// See status.hpp.
#include "keys/status.hpp"

#include "attest/cose/key_certificate.hpp"
#include "dlaunch/measure/hex.hpp"
#include "keys/openssl_handles.hpp"

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <openssl/pem.h>

namespace casemate::keys {
namespace {

constexpr std::int64_t ms_per_second = 1000, seconds_a_day = 24 * 3600;

std::int64_t seconds_of(const ASN1_TIME* time) {
    std::tm moment{};
    require(ASN1_TIME_to_tm(time, &moment) == 1, "read a certificate's dates");
    return ::timegm(&moment);
}

std::string common_name(const X509& certificate) {
    char text[128] = {};
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_commonName, text, sizeof text);
    return text;
}

/// Of a signing key's certificate; empty of any other.
std::string key_of(X509& certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(&certificate, &der);
    require(size > 0, "encode a certificate");
    const auto parsed = cose::parse_key_certificate({der, static_cast<std::size_t>(size)});
    OPENSSL_free(der);
    return parsed.ok() ? measure::to_hex(cose::key_id(parsed.value().key)) : "";
}

long days_left(const CertificateStatus& each, std::int64_t now) { return static_cast<long>((each.not_after - now) / seconds_a_day); }

} // namespace

std::vector<CertificateStatus> status_of(const PrivateDirectory& directory) {
    std::vector<CertificateStatus> all;
    for (const std::string& file : directory.names()) {
        const auto pem = file.ends_with(".pem") ? directory.read(file) : std::nullopt;
        if (!pem || pem->find("BEGIN CERTIFICATE") == std::string::npos) continue;
        const MemoryBio bio{BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size()))};
        const Certificate certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)};
        if (!certificate) throw KeyError{file + " is not a certificate"};
        all.push_back({file, common_name(*certificate), key_of(*certificate), seconds_of(X509_get0_notBefore(certificate.get())),
                       seconds_of(X509_get0_notAfter(certificate.get()))});
    }
    return all;
}

std::string table_of(const std::vector<CertificateStatus>& all, std::int64_t now) {
    char line[256];
    std::snprintf(line, sizeof line, "%-24s  %-20s  %6s  %-13s  %s\n", "CERTIFICATE", "UNTIL", "DAYS", "STATE", "KEY");
    std::string text = line;
    for (const CertificateStatus& each : all) {
        const char* const state = each.counts(now) ? "good" : now < each.not_before ? "not yet valid" : "expired";
        std::snprintf(line, sizeof line, "%-24s  %-20s  %6ld  %-13s  %.16s\n", each.file.c_str(), cose::date_text(each.not_after * ms_per_second).c_str(),
                      days_left(each, now), state, each.key.c_str());
        text += line;
    }
    return text;
}

std::string json_of(const std::vector<CertificateStatus>& all, std::int64_t now) {
    auto list = nlohmann::ordered_json::array();
    for (const CertificateStatus& each : all)
        list.push_back({{"file", each.file}, {"name", each.name}, {"key_id", each.key}, {"not_before", cose::date_text(each.not_before * ms_per_second)},
                        {"not_after", cose::date_text(each.not_after * ms_per_second)}, {"days_left", days_left(each, now)}, {"counts", each.counts(now)}});
    return nlohmann::ordered_json{{"certificates", list}}.dump(2) + "\n";
}

} // namespace casemate::keys
