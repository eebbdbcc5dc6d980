// ingress-overlap admits the Ingresses of a chart one after the other, as the admission check of ingress-nginx does, as far
// as overlaps go: it makes its servers of all that stand and the new one, and asks whether a path of the new one is another's.
// Both (getBackendServers and checkOverlap) are the controller's own functions: `extract` copies them out of its module,
// whose path this one continues so that it may use the packages internal to it.
//
//	ingress-overlap FILE...               YAML streams, each a cluster of its own; prints every refusal, and how many Ingresses it has seen
//	ingress-overlap --upgrades FILE...    YAML streams, each the next revision of a release in one cluster: as Helm does it, each Ingress
//	                                      is created or changed in order, and then those go that the revision has no more
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	apiv1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networking "k8s.io/api/networking/v1"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/ingress-nginx/internal/ingress/annotations"
	"k8s.io/ingress-nginx/internal/ingress/controller/config"
	"k8s.io/ingress-nginx/internal/ingress/defaults"
	"k8s.io/ingress-nginx/internal/ingress/resolver"
	"k8s.io/ingress-nginx/internal/k8s"
	"k8s.io/ingress-nginx/pkg/apis/ingress"
	"k8s.io/klog/v2"
	"sigs.k8s.io/yaml"
)

// Configuration has the controller's options that its functions ask for, as its command line sets them by default.
type Configuration struct {
	DefaultService, DefaultSSLCertificate                  string
	EnableTopologyAwareRouting, DisableServiceExternalName bool
	FakeCertificate                                        *ingress.SSLCert
	ListenPorts                                            *struct{ Default int }
}

// NGINXController is the controller as far as its functions ask for it.
type NGINXController struct {
	cfg             *Configuration
	store           cluster
	metricCollector orphans
}

// orphans counts Ingresses without endpoints for a controller that shows metrics; this one shows none.
type orphans struct{}

func (orphans) IncOrphanIngress(_, _, _ string) {}
func (orphans) DecOrphanIngress(_, _, _ string) {}

// cluster is one where nothing but Ingresses stands: overlaps are a matter of these alone.
type cluster struct{ backend config.Configuration }

var errAbsent = errors.New("not in this cluster")

func (c cluster) GetBackendConfiguration() config.Configuration          { return c.backend }
func (c cluster) GetDefaultBackend() defaults.Backend                    { return c.backend.Backend }
func (cluster) GetConfigMap(string) (*apiv1.ConfigMap, error)            { return nil, errAbsent }
func (cluster) GetSecret(string) (*apiv1.Secret, error)                  { return nil, errAbsent }
func (cluster) GetAuthCertificate(string) (*resolver.AuthSSLCert, error) { return nil, errAbsent }
func (cluster) GetService(string) (*apiv1.Service, error)                { return nil, errAbsent }
func (cluster) GetLocalSSLCert(string) (*ingress.SSLCert, error)         { return nil, errAbsent }
func (c cluster) GetSecurityConfiguration() defaults.SecurityConfiguration {
	return defaults.SecurityConfiguration{
		AnnotationsRiskLevel:         c.backend.AnnotationsRiskLevel,
		AllowCrossNamespaceResources: c.backend.AllowCrossNamespaceResources,
	}
}
func (cluster) GetServiceEndpointsSlices(string) ([]*discoveryv1.EndpointSlice, error) {
	return nil, errAbsent
}

// admit says what CheckIngress says of an Ingress that is to stand beside others.
func (n *NGINXController) admit(standing []*ingress.Ingress, object *networking.Ingress) (*ingress.Ingress, error) {
	k8s.SetDefaultNGINXPathType(object)
	parsed, err := annotations.NewAnnotationExtractor(n.store).Extract(object)
	if err != nil {
		return nil, err
	}
	added := &ingress.Ingress{Ingress: *object, ParsedAnnotations: parsed}
	_, servers := n.getBackendServers(append(standing[:len(standing):len(standing)], added))
	return added, checkOverlap(object, servers)
}

func ingresses(name string) (found []*networking.Ingress, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader := yamlstream.NewYAMLReader(bufio.NewReader(file))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		var object networking.Ingress
		if err := yaml.Unmarshal(document, &object.TypeMeta); err != nil {
			return nil, err
		}
		if object.Kind != "Ingress" {
			continue
		}
		if err := yaml.UnmarshalStrict(document, &object); err != nil {
			return nil, err
		}
		found = append(found, &object)
	}
}

func isSame(a, b *networking.Ingress) bool { return a.Namespace == b.Namespace && a.Name == b.Name }

func run(files []string, upgrades bool) error {
	seen, refused := 0, 0
	var standing []*ingress.Ingress
	for _, name := range files {
		n := &NGINXController{cfg: &Configuration{ListenPorts: &struct{ Default int }{8181}}, store: cluster{config.NewDefault()}}
		objects, err := ingresses(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if !upgrades {
			standing = nil
		}
		for _, object := range objects {
			seen++
			others := slices.DeleteFunc(slices.Clone(standing), func(one *ingress.Ingress) bool { return isSame(&one.Ingress, object) })
			added, err := n.admit(others, object)
			if err != nil {
				fmt.Printf("%s: Ingress %s/%s: %v\n", name, object.Namespace, object.Name, err)
				refused++
				continue
			}
			standing = append(others, added)
		}
		standing = slices.DeleteFunc(standing, func(one *ingress.Ingress) bool {
			return !slices.ContainsFunc(objects, func(object *networking.Ingress) bool { return isSame(&one.Ingress, object) })
		})
	}
	fmt.Printf("%d Ingresses, %d refused\n", seen, refused)
	if refused > 0 || seen == 0 {
		return errors.New("not admitted")
	}
	return nil
}

func main() {
	// What it logs is that this cluster has no Services.
	klog.LogToStderr(false)
	klog.SetOutput(io.Discard)
	files := os.Args[1:]
	upgrades := len(files) > 0 && files[0] == "--upgrades"
	if upgrades {
		files = files[1:]
	}
	if err := run(files, upgrades); err != nil {
		fmt.Fprintln(os.Stderr, "ingress-overlap:", err)
		os.Exit(1)
	}
}
