"""Which machines of this host listen to which groups: heard from them by IGMP and MLD, and asked for."""
