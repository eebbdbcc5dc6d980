# Checks that are not C++ tests; each is one ctest test of the release preset.

function(caisson_check name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "COMMAND;LABELS" ${ARGN})
  add_test(NAME ${name} COMMAND ${ARG_COMMAND} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()

caisson_check(style_format COMMAND scripts/check-format TIMEOUT 120 LABELS style)
caisson_check(style_layers COMMAND scripts/check-layers TIMEOUT 60 LABELS style)
caisson_check(style_properties COMMAND scripts/check-properties TIMEOUT 60 LABELS style)
caisson_check(style_shell COMMAND scripts/check-shell TIMEOUT 60 LABELS style)
caisson_check(output COMMAND scripts/output --check ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/caisson TIMEOUT 120 LABELS demo)
caisson_check(style_tidy COMMAND scripts/check-tidy ${CMAKE_BINARY_DIR} TIMEOUT 2400 LABELS style)
set_tests_properties(style_tidy PROPERTIES PROCESSORS 2)

# Whatever needs a checker waits until all are there, however long a cold cache takes.
caisson_check(test_tools COMMAND scripts/test-tools TIMEOUT 3000 LABELS tools)
set_tests_properties(test_tools PROPERTIES FIXTURES_SETUP test_tools)
caisson_check(chart
  COMMAND generator/render/accept_chart.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/caisson TIMEOUT 900 LABELS chart)
caisson_check(restarts COMMAND scripts/test-restarts ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 300 LABELS chart)
caisson_check(dockerfiles COMMAND scripts/test-dockerfiles ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 300 LABELS tools)
set_tests_properties(chart restarts dockerfiles PROPERTIES FIXTURES_REQUIRED test_tools)
caisson_check(sdk COMMAND scripts/test-sdk ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 600 LABELS sdk)
set_tests_properties(sdk PROPERTIES FIXTURES_REQUIRED test_tools)
caisson_check(editors COMMAND scripts/test-editors ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 600 LABELS tools)
set_tests_properties(editors PROPERTIES FIXTURES_REQUIRED test_tools)

caisson_check(containers
  COMMAND scripts/with-docker scripts/test-containers ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
caisson_check(images
  COMMAND scripts/with-docker scripts/test-images ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
caisson_check(registry
  COMMAND scripts/with-docker scripts/test-registry ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
caisson_check(hostile_strings
  COMMAND scripts/with-docker scripts/test-hostile ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
foreach(proxy caddy nginx)
  caisson_check(documents_compose_${proxy}
    COMMAND scripts/with-docker scripts/test-documents ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} compose ${proxy}
    TIMEOUT 1200 LABELS container)
endforeach()
# One private engine at a time: the others leave their processor to other tests instead of waiting in line.
set_tests_properties(containers images registry hostile_strings documents_compose_caddy documents_compose_nginx PROPERTIES RESOURCE_LOCK docker)
caisson_check(documents_names
  COMMAND scripts/test-documents ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} names TIMEOUT 600 LABELS demo)
# Builds the programs of a Kubernetes where there are none yet.
caisson_check(documents_helm
  COMMAND scripts/test-documents ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} helm TIMEOUT 3000 LABELS container)
caisson_check(helm_install COMMAND scripts/test-helm-install ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
caisson_check(documents_systemd
  COMMAND scripts/test-documents ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} systemd TIMEOUT 400 LABELS container)
caisson_check(documents_local
  COMMAND scripts/test-documents ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} local TIMEOUT 120 LABELS demo)
caisson_check(moves COMMAND scripts/test-moves ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 120 LABELS demo)
caisson_check(released COMMAND scripts/test-released ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 120 LABELS demo)
caisson_check(runbooks COMMAND scripts/test-runbooks ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 120 LABELS demo)
set_tests_properties(documents_names documents_helm helm_install runbooks PROPERTIES FIXTURES_REQUIRED test_tools)
caisson_check(demo COMMAND scripts/demo TIMEOUT 900 LABELS demo)
caisson_check(examples_run_locally
  COMMAND scripts/test-examples ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 300 LABELS demo)
caisson_check(interrupts_leave_nothing
  COMMAND scripts/test-interrupts ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 300 LABELS demo)
foreach(proxy caddy nginx)
  caisson_check(edge_${proxy}
    COMMAND scripts/test-edge ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${proxy} TIMEOUT 240 LABELS container)
endforeach()
caisson_check(systemd COMMAND scripts/test-systemd ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 400 LABELS container)
caisson_check(media COMMAND scripts/test-media ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 600 LABELS container)
caisson_check(services COMMAND scripts/test-services ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 400 LABELS container)
caisson_check(install COMMAND scripts/test-install ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 1200 LABELS container)
caisson_check(compose_install COMMAND scripts/test-compose-install ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 800 LABELS container)
caisson_check(conform_nginx
  COMMAND $<TARGET_FILE:caisson> conform examples/nginx/deployment.yaml --target local --level 1
    --report ${CMAKE_BINARY_DIR}/conform-nginx
  TIMEOUT 240 LABELS demo)
caisson_check(observability COMMAND scripts/test-observability ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 240 LABELS demo)
caisson_check(alerts COMMAND scripts/test-alerts ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} TIMEOUT 240 LABELS demo)
set_tests_properties(observability alerts PROPERTIES FIXTURES_REQUIRED test_tools)
