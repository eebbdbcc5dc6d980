// pod-security holds pods against the Pod Security level "restricted" with the code that the API server itself decides
// with (k8s.io/pod-security-admission), in every version of the standard that this release of it knows.
//
//	pod-security FILE...    YAML streams; prints every violation, and how many pods it has seen
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamlstream "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"
)

// object is a Pod, or anything with a pod template.
type object struct {
	Kind     string            `json:"kind"`
	Metadata metav1.ObjectMeta `json:"metadata"`
	Spec     struct {
		corev1.PodSpec
		Template *corev1.PodTemplateSpec `json:"template"`
	} `json:"spec"`
}

var levels = func() []api.LevelVersion {
	found := []api.LevelVersion{{Level: api.LevelRestricted, Version: api.LatestVersion()}}
	for minor := 28; minor <= 32; minor++ {
		found = append(found, api.LevelVersion{Level: api.LevelRestricted, Version: api.MajorMinorVersion(1, minor)})
	}
	return found
}()

func inspect(evaluator policy.Evaluator, document []byte) (isPod, violates bool, err error) {
	var head struct {
		Kind string `json:"kind"`
	}
	if err := yaml.Unmarshal(document, &head); err != nil {
		return false, false, err
	}
	switch head.Kind {
	case "Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "ReplicaSet":
	default:
		return false, false, nil
	}
	var seen object
	if err := yaml.Unmarshal(document, &seen); err != nil {
		return false, false, err
	}
	meta, spec := seen.Metadata, seen.Spec.PodSpec
	if head.Kind != "Pod" {
		if seen.Spec.Template == nil {
			return false, false, fmt.Errorf("%s %s has no pod template", head.Kind, seen.Metadata.Name)
		}
		meta, spec = seen.Spec.Template.ObjectMeta, seen.Spec.Template.Spec
	}
	for _, level := range levels {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &meta, &spec))
		if !result.Allowed {
			fmt.Printf("%s %s/%s: %s: %s\n", head.Kind, seen.Metadata.Namespace, seen.Metadata.Name, level, result.ForbiddenDetail())
			violates = true
		}
	}
	return true, violates, nil
}

func run(files []string) error {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	if err != nil {
		return err
	}
	pods, violations := 0, 0
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer file.Close()
		reader := yamlstream.NewYAMLReader(bufio.NewReader(file))
		for {
			document, err := reader.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			isPod, violates, err := inspect(evaluator, document)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if isPod {
				pods++
			}
			if violates {
				violations++
			}
		}
	}
	fmt.Printf("%d pods, %d violate the level\n", pods, violations)
	if violations > 0 || pods == 0 {
		return errors.New("not restricted")
	}
	return nil
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pod-security:", err)
		os.Exit(1)
	}
}
