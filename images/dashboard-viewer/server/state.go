package main

import (
	"log/slog"
	"sync"
	"time"
)

// State is what is provisioned now; a refused reload leaves it as it was.
type State struct {
	mu          sync.RWMutex
	folder      string
	log         *slog.Logger
	datasources []*Datasource
	providers   []*provider
	dashboards  []*Dashboard
	checked     map[string]time.Time // when each provider's files were last read
	complaint   string
}

// NewState provisions for the first time: a bad data source or provider is an error, a bad dashboard only a message.
func NewState(folder string, log *slog.Logger) (*State, error) {
	s := &State{folder: folder, log: log, checked: map[string]time.Time{}}
	if err := s.ReloadDatasources(); err != nil {
		return nil, err
	}
	providers, err := readProviders(folder)
	if err != nil {
		return nil, err
	}
	dashboards, err := readDashboards(providers)
	if err != nil {
		s.complain(err)
	}
	s.mu.Lock()
	s.accept(providers, dashboards)
	s.mu.Unlock()
	s.tellWarnings()
	return s, nil
}

// ReloadDatasources reads provisioning/datasources again.
func (s *State) ReloadDatasources() error {
	set, err := readDatasources(s.folder)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.datasources = set.merge(s.datasources)
	return nil
}

// ReloadDashboards reads providers and dashboards again.
func (s *State) ReloadDashboards() error {
	providers, err := readProviders(s.folder)
	if err != nil {
		return err
	}
	return s.replace(providers)
}

func (s *State) replace(providers []*provider) error {
	dashboards, err := readDashboards(providers)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accept(providers, dashboards)
	s.complaint = ""
	return nil
}

// accept needs the lock; dashboards whose file is gone stay where their provider disables deletion.
func (s *State) accept(providers []*provider, dashboards []*Dashboard) {
	present := map[string]bool{}
	for _, d := range dashboards {
		present[d.UID] = true
	}
	for _, d := range s.dashboards {
		for _, p := range providers {
			if p.Name == d.Provider.Name && p.DisableDeletion && !present[d.UID] {
				kept := *d
				dashboards = append(dashboards, &kept)
			}
		}
	}
	for i, d := range dashboards {
		d.ID = i + 1
	}
	s.providers, s.dashboards = providers, dashboards
	for _, p := range providers {
		s.checked[p.Name] = time.Now()
	}
}

// Watch reads the files again when a provider's interval is over; it is called about once a second.
func (s *State) Watch(now time.Time) {
	s.mu.RLock()
	due, providers := false, s.providers
	for _, p := range providers {
		due = due || now.Sub(s.checked[p.Name]) >= p.Interval
	}
	s.mu.RUnlock()
	if !due {
		return
	}
	if err := s.replace(providers); err != nil {
		s.complain(err)
		s.mu.Lock()
		for _, p := range providers {
			s.checked[p.Name] = now
		}
		s.mu.Unlock()
	}
}

// complain logs a reason once, not at every interval.
func (s *State) complain(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.complaint != err.Error() {
		s.complaint = err.Error()
		s.log.Error("failed to load dashboards, what was loaded before is served", "error", err.Error())
	}
}

func (s *State) tellWarnings() {
	for _, warning := range s.Warnings() {
		s.log.Warn(warning)
	}
}

// Warnings lists references to data sources that are not there.
func (s *State) Warnings() []string {
	datasources, dashboards := s.Snapshot()
	return warnings(dashboards, datasources)
}

// Complaint is why the dashboards on disk are not those served; empty if they are.
func (s *State) Complaint() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.complaint
}

// Snapshot returns what is served now.
func (s *State) Snapshot() ([]*Datasource, []*Dashboard) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.datasources, s.dashboards
}

func (s *State) datasource(uid string) *Datasource {
	datasources, _ := s.Snapshot()
	for _, d := range datasources {
		if d.UID == uid {
			return d
		}
	}
	return nil
}

func (s *State) dashboard(uid string) *Dashboard {
	_, dashboards := s.Snapshot()
	for _, d := range dashboards {
		if d.UID == uid {
			return d
		}
	}
	return nil
}
