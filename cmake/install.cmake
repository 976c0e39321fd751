# The prefix layout; src/base/install_layout.hpp finds the parts from the executables, so the prefix can be moved.
#
#   bin/boathouse  libexec/boathouse/boathouse-engine  lib/boathouse/{libduckdb.so,extensions/}
#   lib/systemd/system/boathouse.service  lib/sysusers.d/boathouse.conf  share/doc/boathouse/
#
# Below /usr a service file names its prefix once: PREFIX is known when `cmake --install` runs, not before.
set(private_lib lib/boathouse)

set_target_properties(boathouse-engine PROPERTIES INSTALL_RPATH "$ORIGIN/../../${private_lib}")
install(TARGETS boathouse RUNTIME DESTINATION bin)
install(TARGETS boathouse-engine RUNTIME DESTINATION libexec/boathouse)
install(PROGRAMS scripts/fetch-flights DESTINATION libexec/boathouse)
install(FILES ${BOATHOUSE_DUCKDB_DIR}/lib/libduckdb.so DESTINATION ${private_lib})
install(DIRECTORY ${BOATHOUSE_EXTENSION_DIR}/ DESTINATION ${private_lib}/extensions)

install(CODE "
    set(BOATHOUSE_PREFIX \${CMAKE_INSTALL_PREFIX})
    configure_file(${CMAKE_SOURCE_DIR}/packaging/boathouse.service.in ${CMAKE_BINARY_DIR}/boathouse.service @ONLY)")
install(FILES ${CMAKE_BINARY_DIR}/boathouse.service DESTINATION lib/systemd/system)
install(FILES packaging/boathouse.sysusers DESTINATION lib/sysusers.d RENAME boathouse.conf)

install(FILES README.md LICENSE DESTINATION share/doc/boathouse)
install(DIRECTORY docs/ DESTINATION share/doc/boathouse/docs FILES_MATCHING PATTERN "*.md" PATTERN decisions EXCLUDE)
