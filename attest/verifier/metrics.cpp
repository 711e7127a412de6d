// SPDX-License-Identifier: Apache-2.0
// See metrics.hpp. The registry and the format are prometheus-cpp's.
#include "attest/verifier/metrics.hpp"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <tuple>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace casemate::verifier {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

const Histogram::BucketBoundaries request_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
const Histogram::BucketBoundaries store_buckets{0.00005, 0.0002, 0.001, 0.005, 0.02, 0.1, 0.5, 2, 10};

double seconds(std::chrono::nanoseconds took) { return std::chrono::duration<double>(took).count(); }

const char* name_of(store::Step step) {
    switch (step) {
    case store::Step::wait: return "wait";
    case store::Step::commit: return "commit";
    case store::Step::use: return "use";
    }
    return "use";
}

Family<Counter>& counter(Registry& registry, const char* name, const char* help) {
    return BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauge(Registry& registry, const char* name, const char* help) {
    return BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histogram(Registry& registry, const char* name, const char* help) {
    return BuildHistogram().Name(name).Help(help).Register(registry);
}

} // namespace

class Metrics::Implementation {
public:
    /// One route with one status.
    struct Series {
        Histogram* latency;
        Counter* requests;
    };
    using Key = std::tuple<std::string, std::string, int>;
    using KeyView = std::tuple<std::string_view, std::string_view, int>;
    /// Found without a copy of its texts.
    struct InOrder {
        using is_transparent = void;
        static KeyView view(const Key& key) { return {std::get<0>(key), std::get<1>(key), std::get<2>(key)}; }
        static const KeyView& view(const KeyView& key) { return key; }
        template <typename A, typename B>
        bool operator()(const A& a, const B& b) const {
            return view(a) < view(b);
        }
    };

    Series& series(std::string_view method, std::string_view route, int status);
    Counter& of_grant(std::string_view what) { return grants.Add({{"what", std::string{what}}}); }
    Histogram& of_step(store::Step step) { return store.Add({{"step", name_of(step)}}, store_buckets); }

    Registry registry;
    Family<Counter>& requests = counter(registry, "casemate_http_requests_total", "Requests answered, by route and status.");
    Family<Histogram>& latency =
        histogram(registry, "casemate_http_request_seconds", "From a whole request to its answer, by route.");
    Family<Counter>& verdicts = counter(registry, "casemate_appraisals_total", "Evidence appraised, by verdict.");
    Family<Counter>& reasons =
        counter(registry, "casemate_appraisal_reasons_total", "Reasons given with verdicts; one verdict may have several.");
    Family<Counter>& grants = counter(registry, "casemate_grants_total", "Messages signed about grants, by what they do.");
    Counter& signing_failures = counter(registry, "casemate_signing_failures_total", "Grants that could not be signed.").Add({});
    Counter& incidents = counter(registry, "casemate_incidents_total", "Requests denied by an unexpected failure.").Add({});
    Counter& alarms = counter(registry, "casemate_silence_alarms_total", "Alarms that this replica raised for silent platforms.").Add({});
    Family<Histogram>& store = histogram(registry, "casemate_store_seconds",
                                         "Work with the store: wait for a connection or a turn to write, commit, use of a connection in all.");
    Family<Gauge>& platforms = gauge(registry, "casemate_platforms", "Enrolled platforms, by state.");
    Gauge& silent = gauge(registry, "casemate_platforms_silent", "Active platforms with an alarm for their silence.").Add({});
    Gauge& never = gauge(registry, "casemate_platforms_never_attested", "Active platforms without any affirming verdict.").Add({});
    Gauge& oldest = gauge(registry, "casemate_platform_oldest_attestation_age_seconds",
                          "Age of the oldest last affirming verdict of an active platform.").Add({});
    Family<Gauge>& ages = gauge(registry, "casemate_platform_attestation_age_seconds",
                                "Age of the last affirming verdict, of the active platforms that have waited longest.");
    Gauge& leases_live = gauge(registry, "casemate_leases_live", "Grants that are not revoked and whose lease runs.").Add({});
    Gauge& leases_expiring = gauge(registry, "casemate_leases_expiring", "Of the live leases those more than half over.").Add({});
    Gauge& open = gauge(registry, "casemate_connections", "Open connections.").Add({});
    Gauge& accepted = gauge(registry, "casemate_connections_accepted", "Connections accepted since the start.").Add({});
    Gauge& refused = gauge(registry, "casemate_connections_refused", "Connections closed above a limit since the start.").Add({});
    Gauge& head = gauge(registry, "casemate_audit_head", "Sequence number of the newest row of the audit trail.").Add({});
    Gauge& ready = gauge(registry, "casemate_ready", "1 when /readyz would say ready.").Add({});

    // What is counted with each request, found once.
    std::shared_mutex series_lock;
    std::map<Key, Series, InOrder> known_series;
    Histogram& wait = of_step(store::Step::wait);
    Histogram& commit = of_step(store::Step::commit);
    Histogram& use = of_step(store::Step::use);
    Counter& renewed = of_grant("renewed");
    Counter& affirming = verdicts.Add({{"verdict", "affirming"}});

    std::mutex ages_lock;
    std::vector<Gauge*> shown_ages;
};

Metrics::Implementation::Series& Metrics::Implementation::series(std::string_view method, std::string_view route, int status) {
    const KeyView key{method, route, status};
    {
        const std::shared_lock guard{series_lock};
        if (const auto found = known_series.find(key); found != known_series.end()) return found->second; // never removed
    }
    const prometheus::Labels labels{{"method", std::string{method}}, {"route", std::string{route}}};
    prometheus::Labels with_status = labels;
    with_status.emplace("status", std::to_string(status));
    const Series made{&latency.Add(labels, request_buckets), &requests.Add(with_status)};
    const std::lock_guard guard{series_lock};
    return known_series.try_emplace(Key{method, route, status}, made).first->second;
}

Metrics::Metrics() : implementation_{std::make_unique<Implementation>()} {
    // A series that begins with its first event has no rate for it.
    for (const char* verdict : {"affirming", "contraindicated"}) implementation_->verdicts.Add({{"verdict", verdict}});
    for (const char* what : {"issued", "reissued", "renewed", "revoked"}) implementation_->grants.Add({{"what", what}});
}
Metrics::~Metrics() = default;

void Metrics::request(std::string_view method, std::string_view route, int status, std::chrono::nanoseconds took) {
    const Implementation::Series& series = implementation_->series(method, route, status);
    series.latency->Observe(seconds(took));
    series.requests->Increment();
}

void Metrics::appraised(const std::string& verdict, const Json& reasons) {
    if (verdict == "affirming") implementation_->affirming.Increment();
    else implementation_->verdicts.Add({{"verdict", verdict}}).Increment();
    for (const Json& reason : reasons)
        implementation_->reasons.Add({{"verdict", verdict}, {"reason", reason["code"].get<std::string>()}}).Increment();
}

void Metrics::grant(std::string_view what) {
    Counter& counted = what == "renewed" ? implementation_->renewed : implementation_->of_grant(what);
    counted.Increment();
}
void Metrics::signing_failed() { implementation_->signing_failures.Increment(); }
void Metrics::incident() { implementation_->incidents.Increment(); }
void Metrics::alarm_raised() { implementation_->alarms.Increment(); }

void Metrics::store_step(store::Step step, std::chrono::nanoseconds took) {
    Implementation& to = *implementation_;
    Histogram& histogram = step == store::Step::wait ? to.wait : step == store::Step::commit ? to.commit : to.use;
    histogram.Observe(seconds(took));
}

void Metrics::fleet(const FleetPicture& picture) {
    Implementation& to = *implementation_;
    to.platforms.Add({{"state", "active"}}).Set(static_cast<double>(picture.active));
    to.platforms.Add({{"state", "quarantined"}}).Set(static_cast<double>(picture.quarantined));
    to.platforms.Add({{"state", "retired"}}).Set(static_cast<double>(picture.retired));
    to.silent.Set(static_cast<double>(picture.silent));
    to.never.Set(static_cast<double>(picture.never_attested));
    to.oldest.Set(picture.ages.empty() ? 0 : picture.ages.front().seconds);
    to.leases_live.Set(static_cast<double>(picture.leases_live));
    to.leases_expiring.Set(static_cast<double>(picture.leases_expiring));
    const std::lock_guard guard{to.ages_lock};
    for (Gauge* gone : to.shown_ages) to.ages.Remove(gone);
    to.shown_ages.clear();
    for (const FleetPicture::Age& age : picture.ages) {
        Gauge& shown = to.ages.Add({{"platform", age.platform_id}});
        shown.Set(age.seconds);
        to.shown_ages.push_back(&shown);
    }
}

void Metrics::connections(const ConnectionCounts& counts) {
    implementation_->open.Set(static_cast<double>(counts.open));
    implementation_->accepted.Set(static_cast<double>(counts.accepted));
    implementation_->refused.Set(static_cast<double>(counts.refused));
}

void Metrics::audit_head(std::int64_t sequence) { implementation_->head.Set(static_cast<double>(sequence)); }
void Metrics::ready(bool yes) { implementation_->ready.Set(yes ? 1 : 0); }

std::string Metrics::text() const {
    const std::lock_guard guard{implementation_->ages_lock}; // not half of a picture
    return prometheus::TextSerializer{}.Serialize(implementation_->registry.Collect());
}

} // namespace casemate::verifier
