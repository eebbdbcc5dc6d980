#pragma once

#include "generator/spec/deployment.h"
#include "generator/spec/field.h"

namespace caisson::spec {

/// The types of the language that are maps. Each is declared by one table of fields.

// tables_answers.cc
extern const Type<Map<installer::Question>> answers_type;

// tables_tenancy.cc
extern const Type<Map<Tier>> tiers_type;
extern const Type<Tenant> tenant_type;
extern const Type<std::vector<Tenant>> tenants_type;

// tables_workloads.cc
extern const Type<Runtime> runtime_type;
extern const Type<Dashboard> dashboard_type;
extern const Type<Map<Service>> services_type;
extern const Type<Resources> resources_type;
extern const Type<Map<EnvValue>> env_type;

// tables_data.cc
extern const Type<Database> database_type;
extern const Type<Cache> cache_type;
extern const Type<Backup> backup_type;
extern const Type<std::vector<Asset>> assets_type;

// tables_access.cc
extern const Type<Auth> auth_type;
extern const Type<Map<Secret>> secrets_type;
extern const Type<Edge> edge_type;
extern const Type<Network> network_type;

// tables_operations.cc
extern const Type<Observability> observability_type;
extern const Type<std::vector<Patch>> patches_type;
extern const Type<std::vector<Waiver>> waivers_type;
extern const Type<Conformance> conformance_type;

// tables_targets.cc
extern const Type<Targets> targets_type;

// tables_deployment.cc
extern const Type<Deployment> deployment_type;  ///< a whole spec

}  // namespace caisson::spec
